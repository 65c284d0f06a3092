"""What staff do with pictures that are there: change, reorder, delete."""

from botocore.exceptions import ClientError

from adapters.aws import error_code
from ops.verify.api import Gallery, Picture, expect, expect_problem, images_path
from ops.verify.check import Check, CheckError
from ops.verify.public import stored_at
from ops.verify.trial import Trial
from ops.verify.uploads import READY

_TEXT = "Changed by verify"


def changed(trial: Trial) -> str:
    """Change the text of a picture, and read it again."""
    expect(trial.staff.send("PATCH", trial.image_path("direct"), json={"alt_text": _TEXT}), 200)
    answer = expect(trial.staff.send("GET", trial.image_path("direct")), 200)
    text = Picture.model_validate_json(answer.content).alt_text
    if text != _TEXT:
        raise CheckError(f"200, but the text is still '{text}'")
    return "200, and the new text is there"


def reordered(trial: Trial) -> str:
    """Put the pictures in the opposite order, and list them."""
    path = images_path(trial.product_id)
    before = _listed(trial)
    wanted = before[::-1]
    expect(trial.staff.send("PUT", f"{path}/order", json={"image_ids": wanted}), 200)
    after = _listed(trial)
    if after != wanted:
        raise CheckError(f"200, but the order of the images is {after}")
    return f"200, now {', '.join(map(str, after))}"


def deleted(trial: Trial) -> str:
    """Delete a picture: then it is gone from the API and from the bucket."""
    path, key = trial.image_path("direct"), stored_at(trial, "direct")
    expect(trial.staff.send("DELETE", path), 204)
    expect_problem(trial.staff.send("GET", path), 404, "image_not_found")
    if _is_stored(trial, key):
        raise CheckError(f"204, but {key} is still in the bucket")
    return "204, then 404; its bytes are gone"


def _listed(trial: Trial) -> list[int]:
    answer = expect(trial.staff.send("GET", images_path(trial.product_id)), 200)
    return [picture.id for picture in Gallery.model_validate_json(answer.content).results]


def _is_stored(trial: Trial, key: str) -> bool:
    try:
        trial.target.clients.s3().head_object(Bucket=trial.target.bucket, Key=key)
    except ClientError as error:
        # Answers to HEAD have no body, so that the SDK makes the status the code.
        if error_code(error) == "404":
            return False
        raise
    return True


_LOG = "Look at the log group of gallery."
CHANGED = "PATCH"
REORDERED = "reorder"
DELETED = "DELETE"
GALLERY = (
    Check(CHANGED, changed, _LOG, (READY,)),
    Check(REORDERED, reordered, _LOG, (READY,)),
    Check(DELETED, deleted, _LOG, (READY,)),
)
