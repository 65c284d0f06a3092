"""The functions of template.yaml: their packages, settings, time and memory."""

import re
from dataclasses import fields
from importlib import import_module
from typing import Any

from botocore.client import BaseClient

from adapters.aws import cloudfront_client, dynamodb_client, s3_client
from adapters.eventbridge_image_events import PRODUCT_REMOVED, SOURCE, TAKEN_BACK
from adapters.urllib3_picture_source import MAX_SECONDS
from bench.environments import ALLOCATORS
from domain.follow_catalogue import CatalogueEventKind
from domain.image import FETCH_TIME
from domain.image_events import ImageEventKind
from domain.recipe import Recipe
from handlers.extract_metadata import DECODER_MEMORY_BYTES, DECODER_SECONDS
from handlers.render_image import RENDERER_MEMORY_BYTES, RENDERER_SECONDS
from local.template import ROOT, Template
from ops.renditions import recipe_of
from ops.target import FUNCTION_SECONDS
from packages.build import GROUPS
from tests.infrastructure.stack import (
    BUCKET_ARN,
    BUCKET_NAME,
    Properties,
    as_sub,
    evaluate,
    function_roles,
    functions,
    grants,
    of_type,
    references,
    variables_of,
)

API_GATEWAY_TIMEOUT_SECONDS = 29
LAMBDA_EVENT_BYTES = 6_291_456

ENVIRONMENT = {
    "STOREFRONT_MAX_AGE": "${StorefrontMaxAge}",
    "STOREFRONT_STALE": "${StorefrontStaleWhileRevalidate}",
    "ALLOWED_ORIGINS": "${AllowedOrigins}",
    "DAILY_UPLOAD_QUOTA": "${DailyUploadQuota}",
    "EXTRACT_METADATA_FUNCTION": "${ExtractMetadataFunction}",
    "RENDER_IMAGE_FUNCTION": "${RenderImageFunction}",
    "RENDITION_WIDTHS": "${RenditionWidths}",
    "FALLBACK_WIDTHS": "${FallbackWidths}",
    "AVIF_QUALITY": "${AvifQuality}",
    "AVIF_SPEED": "${AvifSpeed}",
    "AWS_CA_BUNDLE": "/var/task/botocore/cacert.pem",
    "FETCH_QUEUE": "${FetchQueue}",
    "FETCH_ALLOWED_HOSTS": "${FetchAllowedHosts}",
    "FETCH_PER_HOST_PER_SECOND": "${FetchPerHostPerSecond}",
    "TABLE": "${CatalogTable}",
    "KEYS_TABLE": "${KeysTable}",
    "IDEMPOTENCY_TABLE": "${IdempotencyTable}",
    "BUCKET": "${ImagesBucket}",
    "CDN": "${Cdn}",
    "STACK": "${AWS::StackName}",
    "UPLOAD_ORIGIN": "https://${ImagesBucket}.s3.${AWS::Region}.${AWS::URLSuffix}",
    "MAX_DIRECT_UPLOAD_BYTES": "${MaxDirectUploadBytes}",
    "MAX_UPLOAD_BYTES": "${MaxUploadBytes}",
    "MAX_IMAGE_PIXELS": "${MaxImagePixels}",
}
GLIBC_LARGEST_MMAP_THRESHOLD = 33_554_432
"""Above it glibc ignores the variable, on machines of 64 bits (mallopt(3))."""


def test_every_function_and_layer_has_a_package(template: Template) -> None:
    layers = of_type(template, "AWS::Lambda::LayerVersion").values()
    packaged = {layer["Content"]["S3Key"].removesuffix(".zip") for layer in layers}
    assert functions(template).keys() | packaged == GROUPS.keys()


def test_every_function_writes_to_a_log_group_of_its_own(template: Template) -> None:
    groups = {name: f["LoggingConfig"]["LogGroup"]["Ref"] for name, f in functions(template).items()}
    of_functions = of_type(template, "AWS::Logs::LogGroup").keys() - {"ApiAccessLogGroup"}
    assert sorted(groups.values()) == sorted(of_functions)


def test_every_log_group_forgets_after_a_while(template: Template) -> None:
    retention = {
        name: g.get("RetentionInDays") for name, g in of_type(template, "AWS::Logs::LogGroup").items()
    }
    assert [name for name, days in retention.items() if days != {"Ref": "LogRetentionDays"}] == []


def test_every_function_has_a_role_of_its_own(template: Template) -> None:
    roles = [as_sub(function["Role"]) for function in functions(template).values()]
    assert sorted(roles) == sorted(f"${{{name}.Arn}}" for name in function_roles(template))


def test_every_function_runs_python_3_13(template: Template) -> None:
    runtimes = {name: function["Runtime"] for name, function in functions(template).items()}
    assert runtimes == dict.fromkeys(runtimes, "python3.13")
    for layer in of_type(template, "AWS::Lambda::LayerVersion").values():
        assert layer["CompatibleRuntimes"] == ["python3.13"]


def test_the_parameter_architecture_decides_for_every_function_and_layer(template: Template) -> None:
    chosen = {name: function["Architectures"] for name, function in functions(template).items()}
    for name, layer in of_type(template, "AWS::Lambda::LayerVersion").items():
        chosen[name] = layer["CompatibleArchitectures"]
    assert [name for name, value in chosen.items() if value != [{"Ref": "Architecture"}]] == []
    assert template["Parameters"]["Architecture"]["Default"] == "arm64"


def test_make_builds_for_the_default_architecture_of_the_template(template: Template) -> None:
    makefile = (ROOT / "Makefile").read_text()
    built_for = re.findall(r"^ARCHITECTURE \?= (\w+)$", makefile, re.MULTILINE)
    assert built_for == [template["Parameters"]["Architecture"]["Default"]]


def test_the_functions_that_open_pictures_alone_have_the_pillow_layer(template: Template) -> None:
    [layer] = of_type(template, "AWS::Lambda::LayerVersion")
    layers = {name: f["Layers"] for name, f in functions(template).items() if "Layers" in f}
    assert layers == {name: [{"Ref": layer}] for name in ("ExtractMetadataFunction", "RenderImageFunction")}


def test_every_function_runs_its_handler(template: Template) -> None:
    handlers = {name: function["Handler"] for name, function in functions(template).items()}
    assert handlers == {name: f"handlers.{GROUPS[name]}.lambda_handler" for name in handlers}


def test_every_function_logs_json_down_to_the_level_of_the_parameter(template: Template) -> None:
    for name, function in functions(template).items():
        logging = {**function["LoggingConfig"]}
        del logging["LogGroup"]
        level = {"Ref": "LogLevel"}
        expected = {"LogFormat": "JSON", "ApplicationLogLevel": level, "SystemLogLevel": "INFO"}
        assert logging == expected, name


def test_every_variable_means_the_same_thing_to_every_function(template: Template) -> None:
    for name, function in functions(template).items():
        variables = variables_of(function)
        # What glibc reads is as the function needs it.
        for variable in variables.keys() - ALLOCATORS.get(name, {}).keys():
            expected = ENVIRONMENT[variable]
            if (name, variable) == ("ExtractMetadataFunction", "BUCKET"):
                expected = BUCKET_NAME
            assert as_sub(variables[variable]) == expected, (name, variable)


def test_the_environment_of_every_function_is_what_its_settings_read(template: Template) -> None:
    for name, function in functions(template).items():
        expected = {field.name.upper() for field in fields(_settings_of(function))}
        assert (
            variables_of(function).keys() - ALLOCATORS.get(name, {}).keys() - {"AWS_CA_BUNDLE"} == expected
        ), name


def test_every_function_can_be_told_by_sam_to_speak_to_the_local_system_and_on_aws_is_not(
    template: Template,
) -> None:
    for name, function in functions(template).items():
        declared = function["Environment"]["Variables"].keys()
        assert declared - variables_of(function).keys() == {"AWS_ENDPOINT_URL"}, name


def test_the_upload_function_keeps_the_memory_of_the_largest_body(template: Template) -> None:
    mmap_threshold, trim_threshold = map(int, _allocator(template, "UploadImageFunction").values())
    assert LAMBDA_EVENT_BYTES < mmap_threshold <= GLIBC_LARGEST_MMAP_THRESHOLD
    # The event's bytes, its text, the body in it and what is decoded of that are there at once.
    assert trim_threshold > 4 * LAMBDA_EVENT_BYTES


def test_the_render_function_keeps_the_memory_of_the_largest_size(template: Template) -> None:
    mmap_threshold, trim_threshold = map(int, _allocator(template, "RenderImageFunction").values())
    four_bytes_a_pixel = 4 * Recipe().widest_px ** 2
    assert four_bytes_a_pixel < mmap_threshold <= GLIBC_LARGEST_MMAP_THRESHOLD
    assert trim_threshold > 4 * four_bytes_a_pixel


def _allocator(template: Template, name: str) -> dict[str, str]:
    """Return what a function tells its allocator; the benchmark tells it the same."""
    variables = variables_of(functions(template)[name])
    assert {each: variables[each] for each in variables if each.startswith("MALLOC_")} == ALLOCATORS[name]
    return ALLOCATORS[name]


def test_every_setting_that_is_an_integer_comes_from_a_number(template: Template) -> None:
    numbers = {name for name, p in template["Parameters"].items() if p["Type"] == "Number"}
    for name, function in functions(template).items():
        variables = variables_of(function)
        for field in fields(_settings_of(function)):
            if field.type is int:
                assert references(variables[field.name.upper()]) <= numbers, (name, field.name)


def test_every_function_behind_the_api_ends_before_the_gateway_gives_up(template: Template) -> None:
    behind = _invoked_by(template, {"apigateway.amazonaws.com"})
    asynchronous = {
        *("ExtractMetadataFunction", "RenderImageFunction", "ReconcileFunction", "ForgetImageFunction"),
        *("RemoveProductFunction", "FollowCatalogueFunction"),
        "FetchImageFunction",
    }
    assert behind == functions(template).keys() - asynchronous
    timeouts = {name: functions(template)[name]["Timeout"] for name in behind}
    assert max(timeouts.values()) < API_GATEWAY_TIMEOUT_SECONDS, timeouts


def test_a_call_that_hangs_and_the_one_after_it_end_before_the_function_does(template: Template) -> None:
    timeouts = {name: function["Timeout"] for name, function in functions(template).items()}
    look_up, put = (_longest_call_seconds(client) for client in (dynamodb_client(), s3_client()))
    assert look_up < timeouts["AuthorizeFunction"]
    # Bytes that cannot be put are taken back: another call to S3, and one to DynamoDB that may hang too.
    assert 2 * put < timeouts["UploadImageFunction"]
    assert put + look_up < timeouts["UploadImageFunction"]


def test_an_operators_command_waits_longer_than_any_function_runs(template: Template) -> None:
    assert max(function["Timeout"] for function in functions(template).values()) < FUNCTION_SECONDS


def _longest_call_seconds(client: BaseClient) -> float:
    """Return how long a call lasts whose every try hangs: tries, and the longest waiting between them."""
    config: Any = client.meta.config  # its options are set at run time, unknown to its type
    tries = config.retries["total_max_attempts"]
    # The SDK waits up to 1, 2, 4 … seconds ("standard" mode, botocore.retries.standard).
    waiting = sum(2**number for number in range(tries - 1))
    return float(tries * (config.connect_timeout + config.read_timeout) + waiting)


def test_every_asynchronous_function_hands_its_failures_to_a_queue(template: Template) -> None:
    principals = {p["Principal"] for p in of_type(template, "AWS::Lambda::Permission").values()}
    asynchronous = _invoked_by(template, principals - {"apigateway.amazonaws.com"})
    assert {"ExtractMetadataFunction", "RenderImageFunction"} < asynchronous
    configured = of_type(template, "AWS::Lambda::EventInvokeConfig").values()
    for name in asynchronous:
        [config] = [c for c in configured if references(c["FunctionName"]) == {name}]
        # All that Lambda offers: two more tries, and six hours.
        assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (2, 6 * 60 * 60), name
        destination = config["DestinationConfig"]["OnFailure"]["Destination"]
        assert references(destination) <= of_type(template, "AWS::SQS::Queue").keys(), name
        [role] = references(functions(template)[name]["Role"])
        assert "sqs:SendMessage" in grants(function_roles(template)[role])[as_sub(destination)]


def test_messages_of_the_fetch_queue_wait_as_long_as_their_picture_and_go_to_the_failure_queue_at_last(
    template: Template,
) -> None:
    [mapping] = of_type(template, "AWS::Lambda::EventSourceMapping").values()
    function, queue = (
        functions(template)["FetchImageFunction"],
        of_type(template, "AWS::SQS::Queue")["FetchQueue"],
    )
    assert as_sub(mapping["EventSourceArn"]) == "${FetchQueue.Arn}"
    assert references(mapping["FunctionName"]) == {"FetchImageFunction"}
    # One at a time, so that no message waits behind another one's host; what is put off is no error.
    assert (mapping["BatchSize"], mapping["FunctionResponseTypes"]) == (1, ["ReportBatchItemFailures"])
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "FetchConcurrency"}}
    assert queue["VisibilityTimeout"] == 6 * function["Timeout"]
    assert queue["MessageRetentionPeriod"] > FETCH_TIME.total_seconds()
    # The largest count there is (SQS API reference, SetQueueAttributes): a wait counts as a try.
    redrive = queue["RedrivePolicy"]
    assert (as_sub(redrive["deadLetterTargetArn"]), redrive["maxReceiveCount"]) == (
        "${FailureQueue.Arn}",
        1_000,
    )


def test_a_fetch_of_the_largest_picture_fits_into_its_function(template: Template) -> None:
    function, parameters = functions(template)["FetchImageFunction"], template["Parameters"]
    # Its bytes twice, while they are put together, beside some 100 MB of all else.
    assert 2 * parameters["MaxUploadBytes"]["MaxValue"] + 100_000_000 < function["MemorySize"] * 1024 * 1024
    put, look_up = (_longest_call_seconds(client) for client in (s3_client(), dynamodb_client()))
    assert MAX_SECONDS + put + look_up < function["Timeout"]


def test_only_the_bucket_of_this_stack_and_account_may_start_the_metadata_function(
    template: Template,
) -> None:
    permissions = of_type(template, "AWS::Lambda::Permission").values()
    [permission] = [p for p in permissions if p["Principal"] == "s3.amazonaws.com"]
    assert permission["Action"] == "lambda:InvokeFunction"
    assert references(permission["FunctionName"]) == {"ExtractMetadataFunction"}
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert as_sub(permission["SourceArn"]) == BUCKET_ARN
    assert as_sub(of_type(template, "AWS::S3::Bucket")["ImagesBucket"]["BucketName"]) == BUCKET_NAME


def test_the_metadata_function_gets_the_name_that_the_bucket_has(template: Template) -> None:
    variables = functions(template)["ExtractMetadataFunction"]["Environment"]["Variables"]
    assert as_sub(variables["BUCKET"]) == BUCKET_NAME


def test_no_picture_takes_the_metadata_function_past_its_memory_or_ten_seconds(template: Template) -> None:
    function = functions(template)["ExtractMetadataFunction"]
    assert function["MemorySize"] * 1024 * 1024 > DECODER_MEMORY_BYTES
    assert DECODER_SECONDS < 10 < function["Timeout"]


def test_no_picture_takes_the_render_function_past_its_memory_or_its_time(template: Template) -> None:
    function = functions(template)["RenderImageFunction"]
    assert function["MemorySize"] * 1024 * 1024 > RENDERER_MEMORY_BYTES
    # What is left suffices to put a dozen files.
    assert function["Timeout"] > RENDERER_SECONDS + 15


def test_the_render_function_makes_by_default_what_the_usual_recipe_says(template: Template) -> None:
    parameters = {name: str(each.get("Default")) for name, each in template["Parameters"].items()}
    assert recipe_of(parameters) == Recipe()


def test_the_render_function_hears_that_pictures_are_ready(template: Template) -> None:
    rules = of_type(template, "AWS::Events::Rule").values()
    patterns = [
        rule["EventPattern"]
        for rule in rules
        if references([target["Arn"] for target in rule["Targets"]]) == {"RenderImageFunction"}
    ]
    assert patterns == [
        {
            "source": [SOURCE],
            "detail-type": [ImageEventKind.READY.value],
            "detail": {"stack": [{"Ref": "AWS::StackName"}]},
        }
    ]


def test_the_largest_upload_and_the_largest_picture_fit_into_the_metadata_functions_memory(
    template: Template,
) -> None:
    parameters = template["Parameters"]
    # A WEBP of 100 megapixels takes 1,548 MB while it is decoded (measured), its bytes among them.
    assert parameters["MaxImagePixels"]["MaxValue"] <= 100_000_000
    largest_mb = 1_548 + parameters["MaxUploadBytes"]["MaxValue"] / 1_000_000
    assert largest_mb < functions(template)["ExtractMetadataFunction"]["MemorySize"]


def test_the_largest_direct_upload_fits_into_an_event_of_lambda(template: Template) -> None:
    largest = template["Parameters"]["MaxDirectUploadBytes"]["MaxValue"]
    in_base64 = (largest + 2) // 3 * 4
    # Besides: the form's other parts, and the request's headers, which API Gateway bounds to 10,240 bytes in
    # all and which stand in the event twice.
    assert in_base64 + 2 * 10_240 + 50_000 < LAMBDA_EVENT_BYTES


def test_an_upload_form_takes_50_mb_unless_told_otherwise(template: Template) -> None:
    assert template["Parameters"]["MaxUploadBytes"]["Default"] == 50_000_000


def _settings_of(function: Properties) -> type[Any]:
    module, _, _ = function["Handler"].rpartition(".")
    kind: type[Any] = import_module(module).Settings
    return kind


def _invoked_by(template: Template, principals: set[str]) -> set[str]:
    permissions = of_type(template, "AWS::Lambda::Permission").values()
    return set().union(*(references(p["FunctionName"]) for p in permissions if p["Principal"] in principals))


def test_a_picture_is_forgotten_when_this_stack_tells_of_its_deletion_and_at_no_other_event(
    template: Template,
) -> None:
    rules = of_type(template, "AWS::Events::Rule").values()
    [rule] = [each for each in rules if "ForgetImageFunction" in references(each["Targets"])]
    assert rule["EventPattern"] == {
        "source": [SOURCE],
        "detail-type": [ImageEventKind.DELETED, TAKEN_BACK, PRODUCT_REMOVED],
        # Those of a product that is removed are forgotten with it.
        "detail": {"stack": [{"Ref": "AWS::StackName"}], "product_removed": [{"exists": False}]},
    }


def test_what_forgets_pictures_is_there_as_a_whole_or_not_at_all(template: Template) -> None:
    parts = {name for name in template["Resources"] if name.startswith("ForgetImage")}
    kinds = {template["Resources"][name]["Type"] for name in parts}
    assert {"AWS::Lambda::Function", "AWS::IAM::Role", "AWS::Events::Rule", "AWS::Logs::LogGroup"} <= kinds
    conditions = {template["Resources"][name].get("Condition") for name in parts}
    conditions.add(template["Outputs"]["ForgetImageFunctionName"]["Condition"])
    assert conditions == {"InvalidatesDeleted"}
    for value in ("true", "false"):
        condition = template["Conditions"]["InvalidatesDeleted"]
        assert evaluate(template, condition, InvalidateDeleted=value) is (value == "true")


def test_the_function_that_forgets_pictures_may_wait_as_long_as_it_ever_does(template: Template) -> None:
    # A call that hangs to its end, after the longest waits for others.
    longest = _longest_call_seconds(cloudfront_client()) + sum(2**number for number in range(5))
    assert longest < functions(template)["ForgetImageFunction"]["Timeout"]


def test_the_catalogue_is_followed_on_the_bus_and_from_the_source_that_are_named_or_not_at_all(
    template: Template,
) -> None:
    parts = {name for name in template["Resources"] if name.startswith("FollowCatalogue")}
    conditions = {template["Resources"][name].get("Condition") for name in parts}
    assert conditions == {"FollowsCatalogue"}
    rules = of_type(template, "AWS::Events::Rule").values()
    [rule] = [each for each in rules if "FollowCatalogueFunction" in references(each["Targets"])]
    assert rule["EventBusName"] == {"Ref": "CatalogueBus"}
    assert rule["EventPattern"] == {
        "source": [{"Ref": "CatalogueSource"}],
        "detail-type": list(CatalogueEventKind),
    }
    condition = template["Conditions"]["FollowsCatalogue"]
    for bus, source in (("", ""), ("default", ""), ("", "shop"), ("default", "shop")):
        is_on = evaluate(template, condition, CatalogueBus=bus, CatalogueSource=source)
        assert is_on is bool(bus and source)


def test_nothing_that_is_always_there_needs_what_may_be_left_out(template: Template) -> None:
    parts = {name for name in template["Resources"] if name.startswith(("ForgetImage", "FollowCatalogue"))}
    needing = {
        name
        for name, resource in template["Resources"].items()
        if parts & references(_unconditional(resource)) and name not in parts
    }
    assert needing == set()


def _unconditional(node: object) -> object:
    """Leave out what a condition decides on."""
    match node:
        case {"Fn::If": _}:
            return None
        case dict():
            return {name: _unconditional(each) for name, each in node.items()}
        case list():
            return [_unconditional(each) for each in node]
    return node
