"""Results of every kind: mime types, data of frames, charts (protocol.md §4.2, §4.4)."""

from typing import Any

import pytest
from client import Client

BEGIN = "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\n"


def chart(client: Client, code: str) -> dict[str, Any]:
    run = client.run(f"{BEGIN}{code}\nplt.show()")
    assert run.error is None, run.error
    assert run.stderr == ""
    (result,) = run.of("result")
    assert result["png"].startswith("iVBOR")
    assert not result["is_main_result"]
    found: dict[str, Any] = result["chart"]
    return found


MIMES = {
    "HTML('<b>x</b>')": ("html", "<b>x</b>"),
    "Markdown('*x*')": ("markdown", "*x*"),
    "SVG('<svg/>')": ("svg", "<svg/>"),
    "Latex('$x$')": ("latex", "$x$"),
    "Javascript('1')": ("javascript", "1"),
    "JSON({'a': 1})": ("json", {"a": 1}),
}


@pytest.mark.parametrize("code", MIMES)
def test_mime_types_have_fields(client: Client, code: str) -> None:
    field, value = MIMES[code]
    (result,) = client.run(f"from IPython.display import *\n{code}").of("result")
    assert result["is_main_result"]
    assert result[field] == value


def test_unknown_mime_types_are_extra(client: Client) -> None:
    (result,) = client.run("from IPython.display import display\ndisplay({'application/x-own': 'v'}, raw=True)").of("result")
    assert result == {"type": "result", "is_main_result": False, "extra": {"application/x-own": "v"}}


def test_lists_and_dictionaries_are_json(client: Client) -> None:
    assert client.run("{'a': [1, None]}").of("result")[0]["json"] == {"a": [1, None]}
    assert client.run("import numpy\n[numpy.int64(3)]").of("result")[0]["json"] == [3]
    assert "json" not in client.run("[object()]").of("result")[0]


def test_a_data_frame_gives_its_columns(client: Client) -> None:
    frame = "{'n': [1, 2], 'f': [0.5, float('nan')], 't': pandas.to_datetime(['2024-01-02', None]), 3: ['a', 'b']}"
    (result,) = client.run(f"import pandas\npandas.DataFrame({frame})").of("result")
    assert result["data"] == {"n": [1, 2], "f": [0.5, None], "t": ["2024-01-02T00:00:00", None], "3": ["a", "b"]}
    assert "<table" in result["html"]


def test_saved_images_are_shown(client: Client) -> None:
    run = client.run("from PIL import Image\nImage.new('RGB', (2, 2)).save('saved.png')")
    assert run.error is None
    assert run.of("result")[0]["png"].startswith("iVBOR")


def test_line_chart(client: Client) -> None:
    found = chart(client, "axes.plot([1, 2], [3, 4], label='l'); axes.set(title='T', xlabel='Time (s)', ylabel='y [m]')")
    assert found["type"] == "line"
    assert (found["title"], found["x_label"], found["x_unit"], found["y_unit"]) == ("T", "Time (s)", "s", "m")
    assert (found["x_scale"], found["y_scale"]) == ("linear", "linear")
    assert found["elements"] == [{"label": "l", "points": [[1.0, 3.0], [2.0, 4.0]]}]
    assert len(found["x_ticks"]) == len(found["x_tick_labels"])


def test_scatter_chart(client: Client) -> None:
    found = chart(client, "axes.scatter([1, 2], [3, 4], label='s')")
    assert (found["type"], found["elements"]) == ("scatter", [{"label": "s", "points": [[1.0, 3.0], [2.0, 4.0]]}])


def test_bar_chart(client: Client) -> None:
    found = chart(client, "axes.bar(['a', 'b'], [1, 2], label='g')")
    assert found["type"] == "bar"
    assert [(e["label"], e["group"], e["value"]) for e in found["elements"]] == [("a", "g", 1.0), ("b", "g", 2.0)]


def test_box_and_whisker_chart(client: Client) -> None:
    found = chart(client, "axes.boxplot([[85, 92, 78, 95], [70, 80, 85, 92]], tick_labels=['b', 'c'], patch_artist=True)")
    assert found["type"] == "box_and_whisker"
    box = {"min": 78, "first_quartile": 83.25, "median": 88.5, "third_quartile": 92.75, "max": 95, "outliers": []}
    assert found["elements"][0] == {"label": "b"} | box


def test_pie_chart(client: Client) -> None:
    found = chart(client, "axes.pie([1, 3], labels=['a', 'b'])")
    assert found["type"] == "pie"
    assert [(e["label"], e["angle"]) for e in found["elements"]] == [("a", 90.0), ("b", 270.0)]


def test_several_axes_are_a_superchart(client: Client) -> None:
    found = chart(client, "plt.close(figure); f, (a, b) = plt.subplots(1, 2); a.plot([1, 2]); b.bar(['x'], [1])")
    assert (found["type"], [element["type"] for element in found["elements"]]) == ("superchart", ["line", "bar"])


def test_other_charts_are_unknown(client: Client) -> None:
    assert chart(client, "axes.imshow([[1, 2]])")["type"] == "unknown"


@pytest.mark.parametrize(
    ("code", "scale"),
    [
        ("axes.plot([1, 10], [1, 10]); axes.set_xscale('log')", "log"),
        ("axes.plot([1, 10], [1, 10]); axes.set_xscale('symlog')", "symlog"),
        ("axes.plot([.1, .9], [1, 10]); axes.set_xscale('logit')", "logit"),
        ("axes.plot([1, 9], [1, 10]); axes.set_xscale('asinh')", "asinh"),
        ("axes.plot(['a', 'b'], [1, 10])", "categorical"),
        ("import datetime as d; axes.plot([d.date(2024, 1, 1), d.date(2024, 2, 1)], [1, 2])", "datetime"),
    ],
)
def test_scales(client: Client, code: str, scale: str) -> None:
    assert chart(client, code)["x_scale"] == scale


def test_datetime_points_and_ticks_are_iso_strings(client: Client) -> None:
    found = chart(client, "import datetime as d; axes.plot([d.datetime(2024, 1, 1), d.datetime(2024, 2, 1)], [1, 2])")
    assert found["elements"][0]["points"][0] == ["2024-01-01T00:00:00", 1.0]
    assert found["x_ticks"][0].startswith("202")


def test_a_chart_that_cannot_be_read_is_unknown(client: Client) -> None:
    assert chart(client, "axes.boxplot([[1, 2, 3]], patch_artist=True)") == {"type": "unknown", "title": None, "elements": []}


def test_an_empty_figure_has_no_chart(client: Client) -> None:
    (result,) = client.run(f"{BEGIN}plt.show()").of("result")
    assert "chart" not in result
