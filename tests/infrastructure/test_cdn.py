"""The CDN of template.yaml: what it shows, to whom, and with which headers."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from domain.image import ImageFormat
from handlers.queries import PrimariesQuery, ShownPageQuery
from local.media import ADDRESS
from local.template import Template, compressed_paths, media_headers
from tests.builders import SHA256, TOKEN, a_ref
from tests.infrastructure.stack import Properties, as_sub, evaluate, of_type

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER_EXCEPT_HOST_HEADER = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
"""Managed policies (CloudFront developer guide, "Use managed cache policies" and what follows)."""

METHODS = {"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"}
"""All that CloudFront passes on."""

QUERY_OF_STOREFRONT = [*ShownPageQuery.model_fields, *PrimariesQuery.model_fields]

CACHED_ERRORS = {400, 403, 404, 405, 414, 500, 501, 502, 503, 504}
"""What CloudFront may keep for 10 s unless told otherwise (developer guide, "HTTP 4xx and 5xx status…")."""


@pytest.fixture
def cdn(template: Template) -> Properties:
    [distribution] = of_type(template, "AWS::CloudFront::Distribution").values()
    config: Properties = distribution["DistributionConfig"]
    return config


def behaviors(cdn: Properties) -> dict[str, Properties]:
    return {each["PathPattern"]: each for each in cdn["CacheBehaviors"]} | {"*": cdn["DefaultCacheBehavior"]}


def run(template: Template, function: str, event: dict[str, Any]) -> dict[str, Any]:
    """Run one of the CDN's functions as CloudFront does: an event in, a request or a response out."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed; the CDN's functions are written in JavaScript")
    code = of_type(template, "AWS::CloudFront::Function")[function]["FunctionCode"]
    program = f"{code};process.stdout.write(JSON.stringify(handler({json.dumps(event)})))"
    done = subprocess.run([node, "-e", program], capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_everything_is_https_and_http_3_is_spoken(cdn: Properties) -> None:
    assert (cdn["Enabled"], cdn["HttpVersion"], cdn["IPV6Enabled"]) == (True, "http2and3", True)
    policies = {path: each["ViewerProtocolPolicy"] for path, each in behaviors(cdn).items()}
    # Staff may type the page's address.
    assert policies.pop("/staff*") == "redirect-to-https"
    assert set(policies.values()) == {"https-only"}
    [api] = [origin for origin in cdn["Origins"] if "CustomOriginConfig" in origin]
    assert api["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert api["CustomOriginConfig"]["OriginSSLProtocols"] == ["TLSv1.2"]


def test_pictures_come_from_the_bucket_and_all_else_from_the_stage(cdn: Properties) -> None:
    origins = {origin["Id"]: origin for origin in cdn["Origins"]}
    assert {path: each["TargetOriginId"] for path, each in behaviors(cdn).items()} == {
        "/media/*": "images",
        "/api/docs*": "api",
        "/staff*": "api",
        "/api/openapi.json": "api",
        "/api/storefront/*": "api",
        "/api/*": "api",
        "*": "api",
    }
    assert as_sub(origins["images"]["DomainName"]) == "${ImagesBucket.RegionalDomainName}"
    assert as_sub(origins["api"]["DomainName"]) == "${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"
    assert origins["api"]["OriginPath"] == "/v1"


def test_the_api_is_passed_on_whole_and_never_from_a_cache(cdn: Properties) -> None:
    for path in ("/api/*", "*"):
        behavior = behaviors(cdn)[path]
        assert behavior["CachePolicyId"] == CACHING_DISABLED
        assert behavior["OriginRequestPolicyId"] == ALL_VIEWER_EXCEPT_HOST_HEADER
        assert set(behavior["AllowedMethods"]) == METHODS


def test_the_description_comes_from_the_cache_and_compressed_whatever_is_asked_beside_its_path(
    cdn: Properties, template: Template
) -> None:
    for path in ("/api/docs*", "/api/openapi.json"):
        behavior = behaviors(cdn)[path]
        assert behavior["Compress"] is True
        assert behavior["CachePolicyId"] == {"Ref": "CdnDescriptionCaching"}
        # Nothing else of a request reaches the function, so that nothing else can make it run again.
        assert "OriginRequestPolicyId" not in behavior
        assert set(behavior["AllowedMethods"]) == METHODS
    policy = of_type(template, "AWS::CloudFront::CachePolicy")["CdnDescriptionCaching"]["CachePolicyConfig"]
    # As long as the function says, and never longer than that.
    assert (policy["MinTTL"], policy["DefaultTTL"], policy["MaxTTL"]) == (0, 0, 300)
    assert policy["ParametersInCacheKeyAndForwardedToOrigin"] == {
        "EnableAcceptEncodingGzip": True,
        "EnableAcceptEncodingBrotli": True,
        "CookiesConfig": {"CookieBehavior": "none"},
        "HeadersConfig": {"HeaderBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
    }


def test_the_storefront_comes_from_the_cache_and_compressed_by_its_path_and_its_own_parameters_alone(
    cdn: Properties, template: Template
) -> None:
    behavior = behaviors(cdn)["/api/storefront/*"]
    # Before the pattern that takes whatever belongs to the API.
    assert list(behaviors(cdn)).index("/api/storefront/*") < list(behaviors(cdn)).index("/api/*")
    assert behavior["Compress"] is True
    assert behavior["CachePolicyId"] == {"Ref": "CdnStorefrontCaching"}
    assert "OriginRequestPolicyId" not in behavior
    assert set(behavior["AllowedMethods"]) == METHODS
    policy = of_type(template, "AWS::CloudFront::CachePolicy")["CdnStorefrontCaching"]["CachePolicyConfig"]
    # As long as the function says, whatever the parameters allow it to say, and no error longer than that.
    longest = template["Parameters"]["StorefrontMaxAge"]["MaxValue"]
    assert (policy["MinTTL"], policy["DefaultTTL"], policy["MaxTTL"]) == (0, 0, longest)
    assert policy["ParametersInCacheKeyAndForwardedToOrigin"] == {
        "EnableAcceptEncodingGzip": True,
        "EnableAcceptEncodingBrotli": True,
        "CookiesConfig": {"CookieBehavior": "none"},
        "HeadersConfig": {"HeaderBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "whitelist", "QueryStrings": QUERY_OF_STOREFRONT},
    }


def test_the_page_is_kept_as_long_as_each_file_says_and_comes_compressed(
    cdn: Properties, template: Template
) -> None:
    behavior = behaviors(cdn)["/staff*"]
    assert behavior["Compress"] is True
    assert behavior["AllowedMethods"] == ["GET", "HEAD"]
    assert behavior["CachePolicyId"] == {"Ref": "CdnPageCaching"}
    assert "OriginRequestPolicyId" not in behavior
    policy = of_type(template, "AWS::CloudFront::CachePolicy")["CdnPageCaching"]["CachePolicyConfig"]
    assert (policy["MinTTL"], policy["DefaultTTL"], policy["MaxTTL"]) == (0, 0, 31_536_000)
    parameters = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    assert parameters["EnableAcceptEncodingBrotli"] is parameters["EnableAcceptEncodingGzip"] is True
    assert parameters["QueryStringsConfig"] == {"QueryStringBehavior": "none"}


@pytest.mark.parametrize(
    ("uri", "asked"), [("/staff/", "/staff/index.html"), ("/staff/0a1b/main.js", "/staff/0a1b/main.js")]
)
def test_the_address_of_the_page_is_a_folder(template: Template, uri: str, asked: str) -> None:
    assert run(template, "CdnPagePath", {"request": {"uri": uri}}) == {"uri": asked}


def test_the_address_of_the_page_without_its_slash_leads_to_it(template: Template) -> None:
    answer = run(template, "CdnPagePath", {"request": {"uri": "/staff"}})
    assert (answer["statusCode"], answer["headers"]["location"]) == (308, {"value": "/staff/"})


def test_every_answer_says_that_only_https_is_spoken_here_and_that_its_type_is_its_type(
    cdn: Properties, template: Template
) -> None:
    policies = of_type(template, "AWS::CloudFront::ResponseHeadersPolicy")
    for path, behavior in behaviors(cdn).items():
        policy = policies[behavior["ResponseHeadersPolicyId"]["Ref"]]["ResponseHeadersPolicyConfig"]
        security = policy["SecurityHeadersConfig"]
        assert security["ContentTypeOptions"] == {"Override": True}, path
        hsts = {"AccessControlMaxAgeSec": 31_536_000, "Override": True}
        assert security["StrictTransportSecurity"] == hsts, path


def test_pictures_are_read_only_and_kept_for_a_day(cdn: Properties, template: Template) -> None:
    media = behaviors(cdn)["/media/*"]
    assert media["AllowedMethods"] == ["GET", "HEAD"]
    assert media["CachePolicyId"] == {"Ref": "CdnImageCaching"}
    caching = of_type(template, "AWS::CloudFront::CachePolicy")["CdnImageCaching"]["CachePolicyConfig"]
    assert (caching["MinTTL"], caching["DefaultTTL"], caching["MaxTTL"]) == (0, 86_400, 86_400)
    parameters = caching["ParametersInCacheKeyAndForwardedToOrigin"]
    assert parameters["QueryStringsConfig"] == {"QueryStringBehavior": "none"}


def test_no_error_is_kept_neither_a_pictures_nor_the_apis(cdn: Properties) -> None:
    kept = {each["ErrorCode"]: each["ErrorCachingMinTTL"] for each in cdn["CustomErrorResponses"]}
    assert kept == dict.fromkeys(CACHED_ERRORS, 0)
    # Nor does it show a page of its own in the place of a problem.
    assert {name for each in cdn["CustomErrorResponses"] for name in each} == {
        "ErrorCode",
        "ErrorCachingMinTTL",
    }


def test_a_browser_takes_a_picture_as_what_it_is_declared_to_be(cdn: Properties, template: Template) -> None:
    assert behaviors(cdn)["/media/*"]["ResponseHeadersPolicyId"] == {"Ref": "CdnImageHeaders"}
    policy = of_type(template, "AWS::CloudFront::ResponseHeadersPolicy")["CdnImageHeaders"]
    headers = policy["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    assert {name: each["Override"] for name, each in headers.items()} == {
        "ContentTypeOptions": True,
        "ContentSecurityPolicy": True,
        "StrictTransportSecurity": True,
    }
    assert headers["ContentSecurityPolicy"]["ContentSecurityPolicy"] == "default-src 'none'; sandbox"
    assert headers["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31_536_000
    assert media_headers(template) == {
        "Access-Control-Allow-Origin": "*",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }


def test_text_that_may_be_kept_is_sent_compressed(template: Template) -> None:
    assert compressed_paths(template) == [
        "/api/docs*",
        "/api/openapi.json",
        "/api/storefront/*",
        "/staff*",
    ]


def test_only_this_distribution_reads_the_bucket_and_only_public_copies(
    cdn: Properties, template: Template
) -> None:
    [images] = [origin for origin in cdn["Origins"] if origin["Id"] == "images"]
    assert as_sub(images["OriginAccessControlId"]) == "${CdnOriginAccess.Id}"
    # The older way is not taken as well.
    assert images["S3OriginConfig"] == {"OriginAccessIdentity": ""}
    access = of_type(template, "AWS::CloudFront::OriginAccessControl")["CdnOriginAccess"]
    config = access["OriginAccessControlConfig"]
    assert (config["OriginAccessControlOriginType"], config["SigningBehavior"]) == ("s3", "always")
    assert config["SigningProtocol"] == "sigv4"
    [policy] = of_type(template, "AWS::S3::BucketPolicy").values()
    allowed = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert [(s["Action"], as_sub(s["Resource"])) for s in allowed] == [
        ("s3:GetObject", "${ImagesBucket.Arn}/media/*"),
        # Without it a picture that is not there would be a 403.
        ("s3:ListBucket", "${ImagesBucket.Arn}"),
    ]
    for statement in allowed:
        assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        source = statement["Condition"]["StringEquals"].pop("aws:SourceArn")
        assert as_sub(source).endswith(":distribution/${Cdn}")
        assert statement["Condition"] == {"StringEquals": {}}


def test_no_viewer_can_have_the_bucket_listed(cdn: Properties, template: Template) -> None:
    # A list is a GET of the bucket's root with a query (S3 API reference, "ListObjectsV2").
    to_bucket = [path for path, each in behaviors(cdn).items() if each["TargetOriginId"] == "images"]
    assert to_bucket == ["/media/*"]
    assert "OriginRequestPolicyId" not in behaviors(cdn)["/media/*"]
    caching = of_type(template, "AWS::CloudFront::CachePolicy")["CdnImageCaching"]["CachePolicyConfig"]
    forwarded = caching["ParametersInCacheKeyAndForwardedToOrigin"]
    assert forwarded["QueryStringsConfig"] == {"QueryStringBehavior": "none"}


def test_two_stacks_of_one_account_do_not_take_each_others_names(template: Template) -> None:
    # CloudFront has one space of names for all regions.
    named = {
        "AWS::CloudFront::CachePolicy": "CachePolicyConfig",
        "AWS::CloudFront::Function": None,
        "AWS::CloudFront::OriginAccessControl": "OriginAccessControlConfig",
        "AWS::CloudFront::ResponseHeadersPolicy": "ResponseHeadersPolicyConfig",
    }
    for kind, config in named.items():
        resources = of_type(template, kind).values()
        names = [as_sub((each[config] if config else each)["Name"]) for each in resources]
        assert names
        assert len(set(names)) == len(names)
        assert [name for name in names if not name.startswith("${AWS::StackName}-${AWS::Region}")] == []


def test_without_a_domain_of_ones_own_the_cdn_has_its_own(cdn: Properties, template: Template) -> None:
    config = evaluate(template, cdn)
    assert "Aliases" not in config
    assert config["ViewerCertificate"] == {"CloudFrontDefaultCertificate": True}


def test_a_domain_of_ones_own_comes_with_its_certificate(cdn: Properties, template: Template) -> None:
    arn = "arn:aws:acm:us-east-1:123456789012:certificate/0a"
    config = evaluate(template, cdn, DomainName="images.example.com", CertificateArn=arn)
    assert config["Aliases"] == ["images.example.com"]
    assert config["ViewerCertificate"] == {
        "AcmCertificateArn": arn,
        "MinimumProtocolVersion": "TLSv1.2_2021",
        "SslSupportMethod": "sni-only",
    }


def test_pictures_and_the_page_alone_pass_through_functions_that_are_published(
    cdn: Properties, template: Template
) -> None:
    associated = {
        path: {each["EventType"]: as_sub(each["FunctionARN"]) for each in behavior["FunctionAssociations"]}
        for path, behavior in behaviors(cdn).items()
        if "FunctionAssociations" in behavior
    }
    assert associated == {
        "/media/*": {
            "viewer-request": "${CdnImageAddress.FunctionARN}",
            "viewer-response": "${CdnImageAnswer.FunctionARN}",
        },
        "/staff*": {"viewer-request": "${CdnPagePath.FunctionARN}"},
    }
    for function in of_type(template, "AWS::CloudFront::Function").values():
        assert function["AutoPublish"] is True
        assert function["FunctionConfig"]["Runtime"] == "cloudfront-js-2.0"


ADDRESSES = [
    *(f"/{a_ref().media_key(image_format)}" for image_format in ImageFormat),
    f"/{a_ref().media_prefix}/r2/640.avif",
    f"/{a_ref().media_prefix}/r2-0123abcd/640-animated.webp",
]
OTHER_SPELLINGS = [
    "/media/",
    "/media/../keys",
    f"/media/1/2-{TOKEN}.jpg/",
    f"/media//1/2-{TOKEN}.jpg",
    f"/media/01/2-{TOKEN}.jpg",
    f"/media/1%2F2-{TOKEN}.jpg",
    f"/media/%31/2-{TOKEN}.jpg",
    f"/media/1/2-{TOKEN}%2Ejpg",
    f"/media/1/2-{TOKEN}.JPG",
    f"/media/1/2-{TOKEN.upper()}.jpg",
    f"/media/1/2-{TOKEN}0.jpg",
    f"/media/1/2-{TOKEN}/../3-{TOKEN}.jpg",
    f"/media/1/2-{TOKEN}//r2/640.avif",
    "/media/1/2.jpg",
    f"/x/media/1/2-{TOKEN}.jpg",
]


@pytest.mark.parametrize("uri", ADDRESSES)
def test_the_address_of_a_public_object_is_passed_on_as_it_is(template: Template, uri: str) -> None:
    request = {"uri": uri, "method": "GET"}
    assert run(template, "CdnImageAddress", {"request": request}) == request


@pytest.mark.parametrize("uri", OTHER_SPELLINGS)
def test_an_address_of_a_picture_in_another_spelling_is_a_404(template: Template, uri: str) -> None:
    answer = run(template, "CdnImageAddress", {"request": {"uri": uri}})
    assert (answer["statusCode"], answer["statusDescription"]) == (404, "Not Found")
    # The policy's headers are for what comes from a cache or an origin.
    headers = {name: header["value"] for name, header in answer["headers"].items()}
    assert headers == {"strict-transport-security": "max-age=31536000", "x-content-type-options": "nosniff"}


@pytest.mark.parametrize("uri", [*ADDRESSES, *OTHER_SPELLINGS])
def test_the_local_front_knows_the_same_addresses(uri: str) -> None:
    assert bool(ADDRESS.fullmatch(uri.removeprefix("/media/"))) is (uri in ADDRESSES)


def test_a_page_of_any_origin_may_read_a_picture_also_one_that_it_has_shown_before(
    template: Template,
) -> None:
    # Whether the request named an origin or not: a browser keeps one answer for both.
    for headers in ({}, {"origin": {"value": "https://shop.example.com"}}):
        event = {"request": {"uri": ADDRESSES[0], "headers": headers}, "response": {"headers": {}}}
        answered = run(template, "CdnImageAnswer", event)["headers"]
        assert answered["access-control-allow-origin"] == {"value": "*"}


def test_the_other_headers_of_a_picture_stay_as_they_are(template: Template) -> None:
    headers = {"etag": {"value": '"1"'}, "content-disposition": {"value": 'inline; filename="1-2.jpg"'}}
    event = {"request": {"uri": ADDRESSES[0]}, "response": {"statusCode": 206, "headers": headers}}
    assert run(template, "CdnImageAnswer", event) == {
        "statusCode": 206,
        "headers": {**headers, "access-control-allow-origin": {"value": "*"}},
    }


def test_what_the_service_noted_down_beside_a_picture_is_not_public(template: Template) -> None:
    noted = {"x-amz-meta-sha256": {"value": SHA256}, "etag": {"value": '"1"'}}
    event = {"request": {"uri": ADDRESSES[0]}, "response": {"statusCode": 200, "headers": noted}}
    answered = run(template, "CdnImageAnswer", event)["headers"]
    assert answered.keys() == {"etag", "access-control-allow-origin"}
