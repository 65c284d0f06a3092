"""Who watches over what template.yaml makes: alarms, dashboard, schedule."""

import json
from typing import Any

import pytest

from local.template import ROOT, Template
from tests.infrastructure.stack import as_sub, evaluate, functions, of_type, references

_OPTIONAL = {"ForgetImageFunction", "FollowCatalogueFunction"}
METRICS_OF_AN_ALARM = 10
"""CloudWatch user guide, "Limits that apply to alarms based on metric math expressions"; a hard limit."""


def test_every_alarm_goes_to_the_topic_that_is_named_and_stands_in_the_runbook(template: Template) -> None:
    runbook = (ROOT / "docs/operate.md").read_text()
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    assert len(alarms) == 6
    for alarm in alarms.values():
        to_topic = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
        assert (alarm["AlarmActions"], alarm["OKActions"]) == (to_topic, to_topic)
        name = as_sub(alarm["AlarmName"]).removeprefix("${AWS::StackName}-")
        assert f"## {name}\n" in runbook
        assert alarm["TreatMissingData"] == "notBreaching"


def test_the_alarm_on_errors_watches_every_function_whose_faults_are_no_answers_of_the_api(
    template: Template,
) -> None:
    metrics = of_type(template, "AWS::CloudWatch::Alarm")["FunctionErrorsAlarm"]["Metrics"]
    watched = set().union(*map(references, metrics))
    # Of a sum of metrics one may be left out, as its function may.
    assert watched - {"AWS::NoValue"} == functions(template).keys() - _called_by_the_api(template)
    # CloudWatch refuses an alarm on more, with the whole deployment.
    assert len(metrics) - 1 <= METRICS_OF_AN_ALARM


def test_the_alarm_on_throttles_watches_all_that_shares_the_accounts_concurrency(template: Template) -> None:
    alarm = of_type(template, "AWS::CloudWatch::Alarm")["FunctionThrottlesAlarm"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", "Throttles")
    assert "Dimensions" not in alarm


def _called_by_the_api(template: Template) -> set[str]:
    permissions = of_type(template, "AWS::Lambda::Permission").values()
    return set().union(
        *(
            references(each["FunctionName"])
            for each in permissions
            if each["Principal"] == "apigateway.amazonaws.com"
        )
    )


def test_the_query_for_errors_leaves_out_the_refusal_of_an_unknown_key() -> None:
    runbook = (ROOT / "docs/operate.md").read_text()
    # The words that handlers.authorize raises, and the runtime logs as an error.
    assert '| filter not ispresent(errorMessage) or errorMessage != "Unauthorized"' in runbook


def test_the_alarm_on_the_oldest_pending_picture_reads_what_the_reconciler_reports(
    template: Template,
) -> None:
    alarm = of_type(template, "AWS::CloudWatch::Alarm")["OldestPendingAlarm"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("ProductImages", "OldestPendingAge")
    assert {each["Name"] for each in alarm["Dimensions"]} == {"stack", "service"}


def test_the_alarm_on_server_errors_knows_the_api_by_its_name(template: Template) -> None:
    [api] = of_type(template, "AWS::ApiGateway::RestApi").values()
    alarm = of_type(template, "AWS::CloudWatch::Alarm")["ServerErrorsAlarm"]
    assert alarm["Dimensions"] == [{"Name": "ApiName", "Value": api["Name"]}]


def test_the_dashboard_shows_every_alarm_and_every_function(template: Template) -> None:
    alarms = {f"${{{name}.Arn}}" for name in of_type(template, "AWS::CloudWatch::Alarm")}
    shown = [widget["properties"] for widget in _widgets(template)]
    assert {arn for each in shown for arn in each.get("alarms", [])} == alarms
    every_function = {f"${{{name}}}" for name in functions(template).keys() - _OPTIONAL}
    every_function |= {"${ForgetImageName}", "${FollowCatalogueName}"}
    of_lambda = [
        {metric[3] for metric in each["metrics"]}
        for each in shown
        if each.get("metrics", [[""]])[0][0] == "AWS/Lambda"
    ]
    assert of_lambda == [every_function] * 4


def test_the_dashboard_shows_metrics_that_the_functions_report(template: Template) -> None:
    metrics = [metric for each in _widgets(template) for metric in each["properties"].get("metrics", [])]
    of_ours = [metric for metric in metrics if metric[0] == "ProductImages"]
    written = "".join(path.read_text() for path in (ROOT / "src/handlers").glob("*.py"))
    assert of_ours
    for _, name, *dimensions in of_ours:
        assert f'"{name}"' in written
        assert dict(zip(dimensions[:4:2], dimensions[1:4:2], strict=True)).keys() == {"stack", "service"}
        assert f'"{dimensions[3]}"' in written


def test_the_api_logs_who_asked_for_what_from_where_and_nothing_secret(template: Template) -> None:
    [stage] = of_type(template, "AWS::ApiGateway::Stage").values()
    setting = stage["AccessLogSetting"]
    assert as_sub(setting["DestinationArn"]) == "${ApiAccessLogGroup.Arn}"
    logged = json.loads(setting["Format"])
    assert set(logged.values()) == {
        "$context.requestTime",
        # The gateway's own; another one a client may choose.
        "$context.extendedRequestId",
        "$context.identity.sourceIp",
        "$context.httpMethod",
        "$context.resourcePath",
        # Without the query.
        "$context.path",
        "$context.status",
        "$context.authorizer.key_id",
        "$context.authorizer.user_id",
        "$context.responseLength",
        "$context.responseLatency",
        "$context.error.responseType",
    }


def test_the_stage_waits_for_the_role_that_it_logs_with(template: Template) -> None:
    resources = template["Resources"]
    # The stage refers to the group, the group waits for the account's role, that for a first API.
    assert "GatewayAccount" in references(resources["ApiAccessLogGroup"])
    assert resources["GatewayAccount"]["DependsOn"] == "Api"
    assert as_sub(resources["GatewayAccount"]["Properties"]["CloudWatchRoleArn"]) == "${GatewayRole.Arn}"


def test_other_apis_keep_the_role_when_the_stack_goes(template: Template) -> None:
    for name in ("GatewayAccount", "GatewayRole"):
        resource = template["Resources"][name]
        kept = (resource["DeletionPolicy"], resource["UpdateReplacePolicy"])
        assert kept == ("RetainExceptOnCreate", "Retain"), name


@pytest.mark.parametrize(("who", "is_set"), [("stack", True), ("account", False)])
def test_a_role_that_the_account_has_is_left_alone_if_the_operator_says_so(
    template: Template, who: str, is_set: bool
) -> None:
    for name in ("GatewayAccount", "GatewayRole"):
        condition = template["Conditions"][template["Resources"][name]["Condition"]]
        assert evaluate(template, condition, GatewayLogRole=who) is is_set


def test_the_reconciler_runs_every_hour(template: Template) -> None:
    rules = of_type(template, "AWS::Events::Rule").values()
    [rule] = [each for each in rules if "ScheduleExpression" in each]
    assert rule["ScheduleExpression"] == "rate(1 hour)"
    [target] = rule["Targets"]
    assert references(target["Arn"]) == {"ReconcileFunction"}


def test_the_dashboard_can_be_made_without_the_functions_that_need_not_be_there(template: Template) -> None:
    [dashboard] = of_type(template, "AWS::CloudWatch::Dashboard").values()
    for value in ("true", "false"):
        named = "shop" if value == "true" else ""
        _, names = evaluate(
            template,
            dashboard["DashboardBody"]["Fn::Sub"],
            InvalidateDeleted=value,
            CatalogueBus=named,
            CatalogueSource=named,
        )
        assert names == {
            f"{name.removesuffix('Function')}Name": {"Ref": name} if named else "none" for name in _OPTIONAL
        }


def _widgets(template: Template) -> list[dict[str, Any]]:
    [dashboard] = of_type(template, "AWS::CloudWatch::Dashboard").values()
    widgets: list[dict[str, Any]] = json.loads(dashboard["DashboardBody"]["Fn::Sub"][0])["widgets"]
    return widgets
