"""What the operator who runs `verify` may have to be allowed in AWS."""

RIGHTS = (
    "cloudformation:DescribeStackResource",
    "cloudformation:DescribeStacks",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetDashboard",
    "dynamodb:DeleteItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "events:DeleteRule",
    "events:DescribeRule",
    "events:ListTargetsByRule",
    "events:PutRule",
    "events:PutTargets",
    "events:RemoveTargets",
    "lambda:GetFunctionEventInvokeConfig",
    "s3:DeleteObjectVersion",
    "s3:GetBucketPolicy",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "sqs:CreateQueue",
    "sqs:DeleteQueue",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sqs:SetQueueAttributes",
)
"""Actions, in the order of the alphabet. A test runs the command with these and no others."""
