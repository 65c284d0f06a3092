"""Who watches the service, and what goes on by itself: alarms, dashboard, schedule, failure queue."""

from typing import TYPE_CHECKING

from ops.target import Target
from ops.verify.check import Check, CheckError, NotOnLocalSystemError
from ops.verify.trial import Trial

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricAlarmTypeDef
    from mypy_boto3_events.type_defs import DescribeRuleResponseTypeDef

ALARMS = ("failure-queue", "function-throttles", "oldest-pending", "server-errors", "upload-latency")
"""What follows the stack's name in the names of its alarms; a test holds the template to them."""
ALARMS_ON_SUMS = ("function-errors",)
"""Those on a sum of metrics."""
SCHEDULE = "ReconcileFunctionEveryHour"
"""The logical identifier that SAM gives to the reconciler's rule."""
CATALOGUE = "FollowCatalogueFunctionTold"
"""The one that SAM gives to the rule of the shop's catalogue."""
WEBHOOK = "WebhookRule"


def reconciler_scheduled(trial: Trial) -> str:
    """Look at the rule that runs the reconciler."""
    target = trial.target
    rule, described = _enabled(target, SCHEDULE)
    function = target.asynchronous_functions["reconcile"]
    targets = [each["Arn"] for each in target.clients.events().list_targets_by_rule(Rule=rule)["Targets"]]
    if not any(arn.endswith(f":{function}") for arn in targets):
        raise CheckError(f"the rule {rule} does not start {function}")
    return f"{described.get('ScheduleExpression')} starts {function}"


def catalogue_followed(trial: Trial) -> str:
    """Look at the rule of the shop's catalogue, if it is followed."""
    bus = trial.target.parameters["CatalogueBus"]
    if not bus:
        return "off: CatalogueBus is empty"
    rule, _ = _enabled(trial.target, CATALOGUE, bus)
    return f"{rule} is enabled on {bus}"


def webhook_called(trial: Trial) -> str:
    """Look at the rule that sends events to the webhook, if there is one."""
    if not trial.target.parameters["WebhookUrl"]:
        return "off: WebhookUrl is empty"
    rule, _ = _enabled(trial.target, WEBHOOK)
    return f"{rule} is enabled"


def _enabled(
    target: Target, logical_id: str, bus: str = "default"
) -> tuple[str, "DescribeRuleResponseTypeDef"]:
    """Return the name of a rule of the stack, and what it says of itself; one that is off is a fault."""
    physical_id = target.clients.cloudformation().describe_stack_resource(
        StackName=target.stack, LogicalResourceId=logical_id
    )["StackResourceDetail"]["PhysicalResourceId"]
    # On a bus that is not the account's own its name follows that of the bus.
    rule = physical_id.rpartition("|")[2]
    described = target.clients.events().describe_rule(Name=rule, EventBusName=bus)
    if described.get("State") != "ENABLED":
        on = "" if bus == "default" else f" --event-bus-name {bus}"
        command = f"aws events enable-rule --name {rule}{on}"
        raise CheckError(f"the rule {rule} is {described.get('State')}: {command}")
    return rule, described


def failures_kept(trial: Trial) -> str:
    """Look whether events that fail go to the failure queue, and how many lie there."""
    target = trial.target
    attributes = target.clients.sqs().get_queue_attributes(
        QueueUrl=target.failure_queue, AttributeNames=["QueueArn", "ApproximateNumberOfMessages"]
    )["Attributes"]
    functions = target.clients.functions()
    for role, name in target.asynchronous_functions.items():
        config = functions.get_function_event_invoke_config(FunctionName=name, Qualifier="$LATEST")
        destination = config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if destination != attributes["QueueArn"]:
            raise CheckError(f"failed events of {role} go to {destination}")
    waiting = attributes["ApproximateNumberOfMessages"]
    return "it is empty" if waiting == "0" else f"{waiting} events wait: product-images repair queue"


def alarms_set(trial: Trial) -> str:
    """Look at the alarms on one metric."""
    return _alarms(trial.target, ALARMS)


def alarms_on_sums_set(trial: Trial) -> str:
    """Look at the alarms on sums."""
    if trial.target.is_local:
        raise NotOnLocalSystemError("the emulator has no alarms on sums of metrics")
    return _alarms(trial.target, ALARMS_ON_SUMS)


def dashboard_there(trial: Trial) -> str:
    """Look for the dashboard."""
    if trial.target.is_local:
        raise NotOnLocalSystemError("it would show alarms that are not there")
    trial.target.clients.cloudwatch().get_dashboard(DashboardName=trial.target.stack)
    return trial.target.stack


def _alarms(target: Target, names: tuple[str, ...]) -> str:
    wanted = {f"{target.stack}-{name}" for name in names}
    pages = target.clients.cloudwatch().get_paginator("describe_alarms").paginate(AlarmNames=sorted(wanted))
    alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
    missing = wanted - {alarm["AlarmName"] for alarm in alarms}
    if missing:
        raise CheckError(f"there is no {' and no '.join(sorted(missing))}")
    silent = [alarm["AlarmName"] for alarm in alarms if not alarm["ActionsEnabled"]]
    if silent:
        raise CheckError(f"somebody switched off the actions of {', '.join(silent)}")
    return f"{', '.join(names)}{_remarks(alarms)}"


def _remarks(alarms: "list[MetricAlarmTypeDef]") -> str:
    """Say what is no fault of the deployment, but good to know."""
    ringing = [alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"]
    unheard = not any(alarm.get("AlarmActions") for alarm in alarms)
    return (f"; in alarm now: {', '.join(ringing)}" if ringing else "") + (
        "; nobody is told: set AlarmTopicArn" if unheard else ""
    )


_ALARMS = "Deploy again; what was changed by hand comes back only if the template changes it too."
OPERATIONS = (
    Check("schedule of the reconciler", reconciler_scheduled, "Enable the rule, or deploy again."),
    Check("rule of the catalogue", catalogue_followed, "Enable the rule, or deploy again."),
    Check("rule of the webhook", webhook_called, "Enable the rule, or deploy again."),
    Check("failure queue", failures_kept, "Compare the functions' EventInvokeConfig with template.yaml."),
    Check("alarms", alarms_set, _ALARMS),
    Check("alarms on sums", alarms_on_sums_set, _ALARMS),
    Check("dashboard", dashboard_there, _ALARMS),
)
