"""Reads the API in a translated template: routes and gateway responses."""

from local.template import Template
from tests.infrastructure.stack import Properties, functions, of_type, references

PRODUCT = "/api/products/{product_id}"
IMAGES = f"{PRODUCT}/images"
STOREFRONT = ("/api/storefront/products/{product_id}/images", "/api/storefront/primary-images")
ROUTES = {
    (f"POST {IMAGES}", "ApiKey"): "UploadImageFunction",
    (f"POST {IMAGES}/uploads", "ApiKey"): "ReserveUploadFunction",
    (f"POST {IMAGES}/fetch", "ApiKey"): "RequestFetchFunction",
    (f"GET {IMAGES}", "ApiKey"): "GalleryFunction",
    (f"GET {IMAGES}/{{image_id}}", "ApiKey"): "GalleryFunction",
    (f"PATCH {IMAGES}/{{image_id}}", "ApiKey"): "GalleryFunction",
    (f"DELETE {IMAGES}/{{image_id}}", "ApiKey"): "GalleryFunction",
    (f"PUT {IMAGES}/order", "ApiKey"): "GalleryFunction",
    **{(f"GET {path}", "NONE"): "StorefrontFunction" for path in STOREFRONT},
    ("GET /api/products", "ApiKey"): "ProductsFunction",
    **{(f"{method} {PRODUCT}", "ApiKey"): "ProductsFunction" for method in ("GET", "PUT", "DELETE")},
    ("GET /api/openapi.json", "NONE"): "DescribeApiFunction",
    ("GET /api/docs", "NONE"): "DescribeApiFunction",
    ("GET /api/docs/{file}", "NONE"): "DescribeApiFunction",
    ("ANY /staff/{file+}", "NONE"): "StaffPageFunction",
    # Preflight requests, and methods that a path does not have.
    ("ANY /api/openapi.json", "NONE"): "DescribeApiFunction",
    ("ANY /api/docs", "NONE"): "DescribeApiFunction",
    ("ANY /api/docs/{file}", "NONE"): "DescribeApiFunction",
    ("ANY /api/products", "NONE"): "DescribeApiFunction",
    (f"ANY {PRODUCT}", "NONE"): "DescribeApiFunction",
    (f"ANY {IMAGES}", "NONE"): "DescribeApiFunction",
    (f"ANY {IMAGES}/{{image_id}}", "NONE"): "DescribeApiFunction",
    (f"ANY {IMAGES}/order", "NONE"): "DescribeApiFunction",
    (f"ANY {IMAGES}/uploads", "NONE"): "DescribeApiFunction",
    **{(f"ANY {path}", "NONE"): "DescribeApiFunction" for path in STOREFRONT},
    (f"ANY {IMAGES}/fetch", "NONE"): "DescribeApiFunction",
}
"""Every route with its authorizer and its function: what is open to all is written here on purpose."""


def api_definition(template: Template) -> Properties:
    [api] = of_type(template, "AWS::ApiGateway::RestApi").values()
    definition: Properties = api["Body"]
    return definition


def routes_of(template: Template) -> dict[tuple[str, str], str]:
    """Return the function of each route, by method and path, and authorizer."""
    routes = {}
    for path, methods in api_definition(template)["paths"].items():
        for method, operation in methods.items():
            name = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            uri = operation["x-amazon-apigateway-integration"]["uri"]
            [function] = references(uri) & functions(template).keys()
            [[authorizer]] = operation["security"]
            routes[(f"{name} {path}", authorizer)] = function
    return routes


def gateway_responses(template: Template) -> dict[str, Properties]:
    responses: dict[str, Properties] = api_definition(template)["x-amazon-apigateway-gateway-responses"]
    return responses
