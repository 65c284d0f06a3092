"""Writes `docs/performance.md` and its plots from the results."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

from bench.page import paragraph

# Before pyplot: without a screen; and text as text, drawings alike from run to run.
mpl.use("svg")
mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "product-images"})
from matplotlib import pyplot as plt  # noqa: E402 - it reads the settings above

_NAMES = {
    "ours": "this service",
    "upload": "this service",
    "powertools": "Powertools",
    "django": "Django REST framework",
    "fastapi": "FastAPI",
    "tuned_calls": "two tuned SDK calls alone",
    "tuned_as_ours": "the same, tuned as ours",
    "boto3": "boto3, two clients",
}
_UNITS = {
    "instructions": (1e9, "G instructions"),
    "bytes": (1e6, "MB"),
    "ms of CPU": (1, "ms"),
    "points": (1, "points"),
}

_METHOD = """\
## How it is measured

- `make bench` measures the built packages as they would be deployed. In the same run it measures what you
  would pick instead: [the same upload](../bench/peers), written as each framework's documentation has it.
  Each of these peers runs in an environment of its own, installed as pip does it: compiled, nothing removed,
  in the versions of `uv.lock`.
- All rows are of one run. `make bench BENCH=name` prints the rows of one part and writes nothing.
- Before uploads are measured, one upload of each peer is checked. Its answer must be 201 with every key of
  the contract. Its calls must be those of the job: one that puts and counts the record, one that puts the
  image as it is.
- Only ratios mean something. The absolute figures are those of one machine that others share.
- Start-up is counted in instructions of a fresh process (callgrind, user mode, fixed hash seed). It goes
  from the interpreter's first instruction to a handler that is ready, with its clients made. No other load
  changes it.
- Warm work is CPU time. Each peer stays warm in a process of its own, and they take turns. A ratio is
  the median of the rounds' ratios, and the spread is the middle half of them.
- Each request is made anew before it is measured: its event parsed, its body read, as a runtime or a server
  does.
- What the process did before decides whether the C library keeps freed memory or gives it back to the system.
  Memory that was given back takes time to fetch again: that alone made an upload of 1.5 MB with Powertools
  take 5.1 or 7.7 ms. This service's function has settings for it, and they are part of what is measured. They
  also hold for the SDK's calls alone and for `b64decode`, which run in its package with the SDK as it is
  deployed there. The frameworks' documentation names no such settings, so none are set for them.
- AWS is answered inside the SDK, where it would hand a signed request to the network. That is the same
  for all. Bodies are read to their end, as an HTTP client would. What TLS and sockets cost is left out for
  all.
- Django and FastAPI are called in-process and get the raw body. This service and Powertools get the event of
  API Gateway with base64 in it, and undo that as well.
- Memory of an upload is what tracemalloc sees on top of the event. Django keeps files above 2.5 MB on disk.
- Memory of an inspection is the resident memory that comes on top of the loaded process, in the decoder's
  child too. The rows of the whole process add what was loaded.
- Powertools' Tracer is on in the init phase. In warm uploads it is off, since there is no X-Ray daemon.
- The photographs are drawn, not taken: soft shapes with grain, 0.4 bytes a pixel as a phone's have.
"""

_INSPECTION_LIMIT = """
    The goal was half of `load()`, and it is retired. The public copy, which came later, reads every byte of
    the file once more. The rest cannot be made much faster, as follows.

    Decoding at an eighth saves work for all but one pixel in 64: the inverse cosine transform, the scaling up
    and the colours. Of what is left, 93% is libjpeg-turbo. Two thirds of all is one loop of it, which undoes
    the Huffman coding of every coefficient. (2026-11-24: `perf record` of `Image.open(f)`,
    `draft(None, (1, 1))` and `load()`, a hundred times; `perf report --sort dso,sym`.)

    The whole `load()` runs that loop over the same bytes, and without it nothing proves that the stream
    decodes. So half of `load()` leaves next to nothing for the rest: having the file in memory, and the
    process that keeps a hostile image away from the function. The whole takes more than its steps together:
    parent and child share memory pages, and each page that one of them writes to is copied.

    Luminance alone (`draft("L")`) would save as little as the table shows. It would also let pass what
    `load()` refuses: colours that libjpeg cannot scale up.
"""

_RENDITIONS_LIMIT = """\
## Why a rendition is made as it is

Each line is one AVIF at 1,024 px with full colour (4:4:4), made as now but for what the line names
(2026-12-01). Bytes are those at the same SSIMULACRA2: 75 to 77 for the photograph, 80 to 82 for the packshot.
All three columns are multiples of today's.

| | photograph, bytes | packshot, bytes | CPU |
|---|---:|---:|---:|
| as now: speed 8, one tile, no search for cheap coefficients, scaled by bicubic steps | 1 | 1 | 1 |
| scaled by Lanczos | 1.00 | 1.10 | 1 |
| Lanczos and the search (`disable-trellis-quant=0`) | 0.99 | 1.18 | 1.1 |
| Lanczos, the search, and tiles (Pillow's default) | 1.01 | 1.26 | 1.1 |
| Lanczos, the search, speed 7 | 0.95 | 1.11 | 2.3 |
| Lanczos, the search, speed 6 | 0.89 | | 3.8 |
| Lanczos, the search, speed 9 | 1.20 | | 0.5 |
| Lanczos, the search, `tune=ssim` | 1.10 | 1.05 | 0.95 |
| Lanczos, the search, 4:2:0 | not reached | 1.15 | 0.87 |

- **Bytes against sharp at its default speed.** That is speed 5, which takes twelve times the CPU of ours.
  Speed 7 comes nearer, but the whole ladder then takes half of the CPU of the obvious way. So this goal,
  1.10, and that of 0.30 exclude each other. It is retired. Speed 8 stands. If you want smaller files, set
  the parameter `AvifSpeed`.
- **CPU of a cutout.** A quarter of the obvious way's time goes before any pixel is scaled: into decoding the
  PNG, and encoding nine files, each with a plane of alpha. Scaling four channels is the rest. Speed 9 for the
  two largest files would meet the goal of 0.30, with a fifth more bytes for each reader. It is retired.
- **Memory.** glibc keeps what one size has used for the next one (`MALLOC_…` in template.yaml). That saves up
  to a tenth of the CPU, and adds 2 MB to the peak of a JPEG of 24 megapixels.
"""


def write_report(results: Path, folder: Path) -> None:
    """Write the page and its plots into `folder`."""
    found = json.loads(results.read_text())
    series = found["series"]
    _draw_uploads(series["upload_cpu_milliseconds"], folder / "performance-upload.svg")
    _draw_init(series["init_stages"], folder / "performance-init.svg")
    parts = [
        _head(found),
        _table(found["rows"]),
        "![CPU time of a warm upload by the size of its body](performance-upload.svg)\n",
        _upload(series),
        _sentence("Peak memory of an upload of 4 MB, by its body's size", series["upload_peak_by_body"]),
        "![Instructions of the init phase by part](performance-init.svg)\n",
        _imports(series["dearest_imports"]),
        _hostile(found["rows"], series),
        _inspection(series["inspection_steps"]),
        _inspection_memory(found["rows"]),
        _RENDITIONS_LIMIT,
        _METHOD,
    ]
    (folder / "performance.md").write_text("\n".join(parts))


def _head(found: Mapping[str, Any]) -> str:
    versions = "\n".join(f"- {name} {version}" for name, version in found["versions"].items())
    return (
        "# Speed, memory and size\n\n"
        "Written by `make bench` from [its results](../bench/results.json); do not edit.\n\n"
        "For whoever wonders how fast it is, and how much memory it needs. By the end you know how a cold\n"
        "start, an upload and an inspection compare with the usual ways to write them.\n\n"
        f"Measured {found['measured_at'][:10]} from {found['origin']} on {found['machine']}, with:\n\n"
        f"{versions}\n\n"
        "Ratios are ours to the reference's: the smaller, the better.\n\n"
        "- **init:** what a cold start does before the first request.\n"
        "- **ladder:** all smaller files of one image. **sharp:** the usual image library of Node.js.\n"
        "- **packshot:** a product before white. **cutout:** a product without background.\n"
        "- **SSIMULACRA2:** a score of how like the original a file looks; 100 is the same.\n"
    )


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| what | ours | reference | ratio | spread | goal | |", "|---|---:|---:|---:|---|---:|---|"]
    for row in rows:
        scale, unit = _UNITS[row["unit"]]
        cells = [
            row["name"],
            f"{row['ours'] / scale:.3g} {unit}",
            "" if row["reference"] is None else f"{row['reference'] / scale:.3g} {unit}",
            "" if row["ratio"] is None else f"{row['ratio']:.3f}",
            "" if row["spread"] is None else "{:.3f} to {:.3f}".format(*row["spread"]),
            "" if row["goal"] is None else f"≤ {row['goal']:g}",
            {True: "holds", False: "**missed**", None: ""}[row["holds"]],
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _upload(series: Mapping[str, Any]) -> str:
    steps = series["form_milliseconds"]
    whole = series["upload_cpu_milliseconds"]["ours"]["4000000"]
    return paragraph(f"""
        Our upload of 4 MB takes {whole:.2f} ms. Four steps grow with the image, here each measured alone. The
        CRC32 that S3 checks takes {steps["crc32"]:.2f} ms, and the search for the boundary
        {steps["search"]:.2f}. Base64 takes {steps["base64"]:.2f}, and the copy of the file
        {steps["copy"]:.2f}. The rest is above all the SDK's two calls.
    """)


def _sentence(what: str, ratios: Mapping[str, float]) -> str:
    figures = "\n".join(f"- {_NAMES[name]}: {ratio:.2f}" for name, ratio in ratios.items())
    return f"{what}:\n\n{figures}\n"


def _imports(dearest: Mapping[str, Mapping[str, float]]) -> str:
    modules = "\n".join(f"| `{name}` | {share:.1%} |" for name, share in dearest["modules"].items())
    packages = ", ".join(f"{name} {share:.0%}" for name, share in dearest["packages"].items())
    return (
        "## The dearest imports of the upload function\n\n"
        "By their own time, without what they import in turn, as a share of all imports "
        "(`-X importtime`):\n\n"
        f"| third-party module | share |\n|---|---:|\n{modules}\n\nBy package: {packages}.\n"
    )


def _hostile(rows: Sequence[Mapping[str, Any]], series: Mapping[str, Any]) -> str:
    steps = series["form_milliseconds"]
    worst = next(row for row in rows if row["name"].startswith("the worst hostile body"))
    # Nanoseconds a byte; the steps are milliseconds of 4 MB.
    in_picture, at_worst = steps["search"] / 4, series["hostile_search_nanoseconds"]
    ordered = sorted(series["hostile_bodies"].items(), key=lambda item: -item[1])
    lines = "\n".join(f"| {name} | {ratio:.2f} |" for name, ratio in ordered)
    return (
        "## Hostile bodies\n\n"
        "CPU of reading each, of 4.5 MB, against one decoding of its base64 by the standard library:\n\n"
        f"| body | ratio |\n|---|---:|\n{lines}\n\n"
        + paragraph(f"""
            The parser looks for the boundary with `bytes.find`. Where a boundary and a file were chosen
            against it, it can skip nothing: {at_worst:.2g} ns a byte at the worst, instead of
            {in_picture:.2g} in an image. `rfind` is no way out: its time has no other bound than the
            lengths of boundary and body multiplied. The goal was one decoding by the standard library,
            and it is retired: of {worst["ours"]:.3g} ms the search alone takes
            {4.5 * at_worst:.3g}, and such a decoding takes {worst["reference"]:.3g}.

            Reading an honest form of 4 MB takes
            {steps["read_form"]:.2f} ms. Of its steps, decoding takes {steps["base64"]:.2f}, this search
            {steps["search"]:.2f}, and the copy of the file {steps["copy"]:.2f}.
        """)
    )


def _inspection(by_size: Mapping[str, Mapping[str, float]]) -> str:
    steps = list(next(iter(by_size.values())))
    lines = "\n".join(
        f"| {step} | {' | '.join(f'{ratios[step]:.2f}' for ratios in by_size.values())} |" for step in steps
    )
    return (
        "## Where the CPU of an inspection goes\n\n"
        "Each step alone in a fresh process, as a share of `Image.open(f).load()` of the same JPEG:\n\n"
        f"| step | {' | '.join(by_size)} |\n|---|{'---:|' * len(by_size)}\n{lines}\n\n"
        + paragraph(_INSPECTION_LIMIT)
    )


def _inspection_memory(rows: Sequence[Mapping[str, Any]]) -> str:
    of_picture, of_process = (
        next(
            row
            for row in rows
            if "JPEG of 4 MB" in row["name"] and row["name"].endswith(f"memory of the {what}")
        )
        for what in ("picture", "process")
    )
    loaded = of_process["ours"] - of_picture["ours"]
    return paragraph(f"""
        Of the memory of the whole process at 4 MB, {loaded / 1e6:.1f} MB are the interpreter and the modules.
        They are loaded before there is any image. The goal was 0.35 of the reference's whole process,
        {0.35 * of_process["reference"] / 1e6:.1f} MB, before there was a public copy. It is retired. What the
        image adds is {of_picture["ratio"]:.2f} of what it adds to the reference.
    """)


def _draw_uploads(milliseconds: Mapping[str, Mapping[str, float]], path: Path) -> None:
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for name, by_size in milliseconds.items():
        megabytes = [int(size) / 1e6 for size in by_size]
        axes.plot(
            megabytes,
            list(by_size.values()),
            marker="o",
            label=_NAMES[name],
            linestyle="--" if name.startswith("tuned") else "-",
        )
    axes.set(xlabel="size of the image, MB", ylabel="CPU of a warm upload, ms", xlim=0, ylim=0)
    _save(figure, axes, path)


def _draw_init(stages: Mapping[str, Mapping[str, float]], path: Path) -> None:
    figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
    names = list(stages)
    parts = list(dict.fromkeys(part for by_part in stages.values() for part in by_part))
    ends = [0.0] * len(names)
    for part in parts:
        widths = [stages[name].get(part, 0) / 1e9 for name in names]
        axes.barh([_NAMES[name] for name in names], widths, left=ends, label=part)
        ends = [end + width for end, width in zip(ends, widths, strict=True)]
    axes.invert_yaxis()
    axes.set(xlabel="instructions from a fresh process to a ready upload handler, billions")
    _save(figure, axes, path)


def _save(figure: Any, axes: Any, path: Path) -> None:  # noqa: ANN401 - the library is not there for mypy
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(
        *axes.get_legend_handles_labels(),
        loc="outside upper center",
        ncols=5,
        frameon=False,
        fontsize="small",
    )
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None}, transparent=False)
    plt.close(figure)
