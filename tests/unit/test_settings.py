import pytest

from handlers import authorize, extract_metadata, upload_image
from handlers.settings import SettingsError, read_settings

VARIABLES = {
    "TABLE": "catalog",
    "BUCKET": "images",
    "STACK": "shop",
    "IDEMPOTENCY_TABLE": "idempotency",
    "ALLOWED_ORIGINS": "",
    "DAILY_UPLOAD_QUOTA": "0",
    "MAX_DIRECT_UPLOAD_BYTES": "4500000",
    "MAX_IMAGE_PIXELS": "100000000",
    "KEYS_TABLE": "keys",
}


def test_each_function_reads_its_own_variables() -> None:
    assert read_settings(authorize.Settings, VARIABLES) == authorize.Settings("keys")
    assert read_settings(extract_metadata.Settings, VARIABLES) == extract_metadata.Settings(
        "catalog", "images", "shop", 100_000_000
    )
    assert read_settings(upload_image.Settings, VARIABLES) == upload_image.Settings(
        "catalog", "idempotency", "images", "shop", "", 4_500_000, 0
    )


@pytest.mark.parametrize(
    "missing", ["TABLE", "IDEMPOTENCY_TABLE", "BUCKET", "STACK", "ALLOWED_ORIGINS", "MAX_DIRECT_UPLOAD_BYTES"]
)
def test_a_missing_variable_is_named(missing: str) -> None:
    variables = {name: value for name, value in VARIABLES.items() if name != missing}
    with pytest.raises(SettingsError, match=f" {missing} "):
        read_settings(upload_image.Settings, variables)


def test_a_variable_that_should_be_an_integer_and_is_not_is_named() -> None:
    with pytest.raises(SettingsError, match=" MAX_IMAGE_PIXELS "):
        read_settings(extract_metadata.Settings, {**VARIABLES, "MAX_IMAGE_PIXELS": "many"})
