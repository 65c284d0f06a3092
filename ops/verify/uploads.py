"""Pictures go in: by the direct route, once more, by a form, and too large ones."""

import httpx

from ops.verify.access import MADE
from ops.verify.api import Picture, ReservedPicture, expect, expect_problem, images_path
from ops.verify.check import Check, CheckError
from ops.verify.sample import HEIGHT_PX, WIDTH_PX, sample_png
from ops.verify.trial import Trial

DIRECT_PICTURE, FORM_PICTURE = sample_png(200, 60, 60), sample_png(60, 60, 200)
_READY_SECONDS = 120
"""The first picture starts the metadata function; one retry of Lambda comes after a minute."""
_EVENT_BYTES, _REQUEST_BYTES = 7_000_000, 10 * 1024 * 1024 + 1
"""Above what Lambda takes as an event, 6 MB, and above what API Gateway takes as a request, 10 MB."""


def sent_directly(trial: Trial) -> str:
    """Send a picture with an idempotency key."""
    return f"201, image {send_directly(trial, 'direct', trial.idempotency_key)[0].id}"


def sent_again(trial: Trial) -> str:
    """Send the same request again, as after a lost answer."""
    first = trial.pictures["direct"].id
    picture, answer = send_directly(trial, "direct", trial.idempotency_key)
    if picture.id != first:
        raise CheckError(f"a second image, {picture.id}")
    if answer.headers.get("Idempotency-Replayed") != "true":
        raise CheckError("the answer does not say Idempotency-Replayed: true")
    return f"201, the same image {first}"


def sent_by_form(trial: Trial) -> str:
    """Reserve a picture, and send it to S3 with the form."""
    announcement = {"name": "verify.png", "size": len(FORM_PICTURE)}
    answer = trial.staff.send("POST", f"{images_path(trial.product_id)}/uploads", json=announcement)
    picture = ReservedPicture.model_validate_json(expect(answer, 201).content)
    trial.pictures["form"] = picture
    form = picture.upload
    expect(trial.http.post(form.url, data=form.fields, files={"file": FORM_PICTURE}), 204)
    return f"201, then 204 of S3, image {picture.id}"


def became_ready(trial: Trial) -> str:
    """Wait until the metadata function has opened both."""
    for how in ("direct", "form"):
        picture = wait_until_ready(trial, how)
        if (picture.width, picture.height) != (WIDTH_PX, HEIGHT_PX):
            raise CheckError(f"image {picture.id} is {picture.width} x {picture.height} pixels")
    return f"both, {WIDTH_PX} x {HEIGHT_PX} pixels"


def above_direct_limit(trial: Trial) -> str:
    """Send what the upload function refuses."""
    limit = int(trial.target.parameters["MaxDirectUploadBytes"])
    return expect_problem(trial.staff.upload(trial.product_id, bytes(limit + 1)), 413, "file_too_large")


def above_event_limit(trial: Trial) -> str:
    """Send what Lambda refuses of the gateway."""
    return _status(expect(trial.staff.upload(trial.product_id, bytes(_EVENT_BYTES)), 413))


def above_request_limit(trial: Trial) -> str:
    """Send what the gateway refuses: in plain text, whatever its responses are set to."""
    return _status(expect(trial.staff.upload(trial.product_id, bytes(_REQUEST_BYTES)), 413))


def send_directly(trial: Trial, how: str, idempotency_key: str) -> tuple[Picture, httpx.Response]:
    """Send a picture by the direct route, and note it; return it with the whole answer."""
    headers = {"Idempotency-Key": idempotency_key}
    answer = trial.staff.upload(trial.product_id, DIRECT_PICTURE, headers, alt_text="Of verify", order="1")
    picture = Picture.model_validate_json(expect(answer, 201).content)
    trial.pictures[how] = picture
    return picture, answer


def wait_until_ready(trial: Trial, how: str) -> Picture:
    """Wait until a picture is ready, and note it as it is then."""
    picture = trial.pictures[how] = until_ready(trial, trial.image_path(how))
    return picture


def until_ready(trial: Trial, path: str) -> Picture:
    """Wait until the picture at this path of the API is ready, and return it as it is then."""

    def look() -> Picture | None:
        answer = expect(trial.staff.send("GET", path), 200)
        picture = Picture.model_validate_json(answer.content)
        return picture if picture.status != "pending" else None

    picture = trial.interruption.wait_until(look, "ready image", _READY_SECONDS)
    if picture.status != "ready":
        raise CheckError(f"image {picture.id} is {picture.status}: {picture.error}")
    return picture


def _status(answer: httpx.Response) -> str:
    return f"{answer.status_code} {answer.headers.get('Content-Type', '')}".strip()


DIRECT, FORM, READY = "direct upload", "upload form", "images are ready"
_SIZES = "Compare the gateway responses with template.yaml, and deploy again."
UPLOADS = (
    Check(DIRECT, sent_directly, "Look at the log group of upload-image.", (MADE,)),
    Check("idempotent retry", sent_again, "Look at the log group of upload-image.", (DIRECT,)),
    Check(FORM, sent_by_form, "Look at the log group of reserve-upload, and at the bucket policy.", (MADE,)),
    Check(READY, became_ready, "Look at the log group of extract-metadata.", (DIRECT, FORM)),
    Check(
        "413 above MaxDirectUploadBytes",
        above_direct_limit,
        "Look at the log group of upload-image.",
        (MADE,),
    ),
    Check("413 above 6 MB", above_event_limit, _SIZES, (MADE,)),
    Check("413 above 10 MB", above_request_limit, _SIZES, (MADE,)),
)
