"""Malformed configurations, each with the line it is refused with (after the file's name)."""

from __future__ import annotations

BASE = {
    "grid": "demo",
    "targets": "[{name: g, kind: gaussian, shape: [3, 4]}]",
    "depths": "[3]",
    "lambdas": "{relative: [0.5]}",
}
BOMB = "\n".join(["b0: &b0 [x, x]", *(f"b{i}: &b{i} [*b{i - 1}, *b{i - 1}]" for i in range(1, 40)), "grid: *b39"])
# Merge keys copy their mappings' keys when the file is read, before anyone looks at it.
MERGED = "\n".join(
    ["b0: &b0 {x: 1}", *(f"b{i}: &b{i} {{<<: [*b{i - 1}, *b{i - 1}]}}" for i in range(1, 40)), "grid: *b39"]
)
TOO_MANY = "more than 150,000 values, with those of every alias (*name); use fewer"

# What a key of BASE is replaced by, in YAML.
CHANGED: list[tuple[dict[str, str], str]] = [
    ({"depth": "[2]"}, "depth: unknown key; did you mean depths?"),
    (
        {"grid": "../../etc"},
        "grid: got '../../etc': expected letters, digits, '_', '.' and '-' only, beginning with a letter or digit",
    ),
    (
        {"grid": "data/x"},
        "grid: got 'data/x': expected letters, digits, '_', '.' and '-' only, beginning with a letter or digit",
    ),
    (
        {"grid": ".hidden"},
        "grid: got '.hidden': expected letters, digits, '_', '.' and '-' only, beginning with a letter or digit",
    ),
    (
        {"grid": "-rf"},
        "grid: got '-rf': expected letters, digits, '_', '.' and '-' only, beginning with a letter or digit",
    ),
    (
        {"grid": "'a; rm -rf ~'"},
        "grid: got 'a; rm -rf ~': expected letters, digits, '_', '.' and '-' only, beginning with a letter or digit",
    ),
    (
        {"grid": "$(id)"},
        "grid: got '$(id)': expected letters, digits, '_', '.' and '-' only, beginning with a letter or digit",
    ),
    (
        {"grid": '"a\\0b"'},
        "grid: got 'a\\x00b': expected letters, digits, '_', '.' and '-' only, beginning with a letter or digit",
    ),
    (
        {"grid": '"a\\nb"'},
        "grid: got 'a\\nb': expected letters, digits, '_', '.' and '-' only, beginning with a letter or digit",
    ),
    ({"grid": "{}"}, "grid: got {}: expected text"),
    ({"grid": ""}, "grid: got None: expected text"),
    ({"grid": "yes"}, "grid: got True: expected text"),
    (
        {"title": '"a\\nb"'},
        "title: got 'a\\nb': expected text without line breaks, control characters or changes of direction",
    ),
    (
        {"title": '"\\e[31mred"'},
        "title: got '\\x1b[31mred': expected text without line breaks, control characters or changes of direction",
    ),
    (
        {"title": '"ab\\u202Edc"'},
        "title: got 'ab\\u202edc': expected text without line breaks, control characters or changes of direction",
    ),
    ({"title": "[a]"}, "title: got ['a']: expected text"),
    (
        {"title": "x" * 121},
        "title: got 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...: expected at most 120 characters",
    ),
    ({"seed": "-1"}, "seed: got -1: expected a number of at least 0"),
    (
        {"seed": "9" * 40},
        "seed: got 9999999999999999999999999999999999999999: expected a number less than 9223372036854775808",
    ),
    ({"seed": "0.5"}, "seed: got 0.5: expected a whole number"),
    ({"seed": "true"}, "seed: got True: expected a whole number"),
    ({"targets": "{}"}, "targets: got {}: expected a list"),
    ({"targets": "[]"}, "targets: got []: expected a list of at least 1"),
    ({"targets": "[[]]"}, "targets.0: got []: expected a mapping of keys to values"),
    ({"targets": "[{name: g}]"}, "targets.0.kind: missing; a value is required here"),
    (
        {"targets": "[{name: g, kind: pickle, path: m.pkl}]"},
        "targets.0.kind: got 'pickle': expected one of 'gaussian', 'spectrum', 'file', 'dataset', 'network'",
    ),
    ({"targets": "[{name: g, kind: gaussian}]"}, "targets.0.shape: missing; a value is required here"),
    (
        {"targets": "[{name: ../g, kind: gaussian, shape: [3, 4]}]"},
        "targets.0.name: got '../g': expected letters, digits, '_', '.' and '-' only, beginning with a letter or digit",
    ),
    (
        {"targets": '[{name: g, kind: gaussian, shape: [3, 4], label: "a\\tb"}]'},
        "targets.0.label: got 'a\\tb': expected text without line breaks, control characters or changes of direction",
    ),
    (
        {"targets": "[{name: g, kind: gaussian, shape: [3, 4, 5]}]"},
        "targets.0.shape: got [3, 4, 5]: expected a list of at most 2",
    ),
    (
        {"targets": "[{name: g, kind: gaussian, shape: [3, 1000000000]}]"},
        "targets.0.shape.1: got 1000000000: expected a number of at most 4096",
    ),
    (
        {"targets": "[{name: g, kind: gaussian, shape: [3, 4], scale: .inf}]"},
        "targets.0.scale: got inf: expected a finite number",
    ),
    (
        {"targets": "[{name: g, kind: gaussian, shape: [3, 4], scale: 1e50}]"},
        "targets.0 (g): the largest entry has size 2.93487e+50, expected 1e-50 to 1e+50, where squares and products stay in float64's range; rescale the target",
    ),
    (
        {"targets": "[{name: g, kind: spectrum, shape: [2, 2], singular_values: [0, 0]}]"},
        "targets.0: singular_values: all are zero; lambda_c is not defined for a zero target",
    ),
    (
        {"targets": "[{name: g, kind: spectrum, shape: [2, 2], singular_values: [3, 2, 1]}]"},
        "targets.0: singular_values: got 3, but shape [2, 2] has at most 2",
    ),
    (
        {"targets": "[{name: g, kind: spectrum, shape: [2, 2], singular_values: [.nan]}]"},
        "targets.0.singular_values.0: got nan: expected a finite number",
    ),
    (
        {"targets": "[{name: g, kind: dataset, dataset: mnist}]"},
        "targets.0.dataset: got 'mnist': expected 'digits', 'iris', 'diabetes', 'breast_cancer', 'wine', 'karate_club' or 'davis_women'",
    ),
    (
        {"targets": "[{name: g, kind: dataset, dataset: karate_club, map: cross}]"},
        "targets.0 (g): karate_club: map: cross needs outcomes, and these data have none",
    ),
    (
        {"targets": "[{name: g, kind: dataset, dataset: digits, map: correlation}]"},
        "targets.0 (g): digits: column pixel_0_0 is constant, so its correlation is undefined; leave it out or use covariance",
    ),
    (
        {"targets": "[{name: g, kind: dataset, dataset: karate_club, center: both, scale: l2}]"},
        "targets.0.scale: got 'l2': expected 'none', 'frobenius', 'spectral', 'rows' or 'columns'",
    ),
    (
        {"targets": "[{name: g, kind: file, path: m.npy, map: cross}]"},
        "targets.0.map: got 'cross': expected 'none', 'covariance' or 'correlation'",
    ),
    (
        {"targets": "[{name: g, kind: file, path: m.npy, center: mean}]"},
        "targets.0.center: got 'mean': expected 'none', 'rows', 'columns' or 'both'",
    ),
    ({"targets": "[{name: g, kind: file, path: m.csv, header: 1}]"}, "targets.0.header: got 1: expected true or false"),
    (
        {"targets": "[{name: g, kind: file, path: m.npy, rows: []}]"},
        "targets.0.rows: got []: expected a list of at least 1",
    ),
    (
        {"targets": '[{name: g, kind: file, path: m.npy, rows: ["a\\nb"]}]'},
        "targets.0.rows.0: got 'a\\nb': expected text without line breaks, control characters or changes of direction",
    ),
    ({"targets": "[{name: g, kind: file, path: [m.npy]}]"}, "targets.0.path: got ['m.npy']: expected text"),
    (
        {"targets": "[{name: g, kind: gaussian, shape: [3, 4]}, {name: g, kind: gaussian, shape: [2, 2]}]"},
        "targets: name g given twice; names must be unique",
    ),
    (
        {"targets": '[{name: g, kind: file, path: "a\\0b.npy"}]'},
        "targets.0.path: got 'a\\x00b.npy': expected text without line breaks, control characters or changes of direction",
    ),
    ({"depths": "[1]"}, "depths.0: got 1: expected a number of at least 2"),
    ({"depths": "[2.0]"}, "depths.0: got 2.0: expected a whole number"),
    ({"depths": "[1000]"}, "depths.0: got 1000: expected a number of at most 200"),
    ({"depths": "[3, 3]"}, "depths: 3 given twice; list each value once"),
    (
        {"hidden_widths": "2"},
        "target g, depth 3: hidden_widths: got 2, expected at least min(d_0, d_L) = 3 so that every end-to-end matrix is reachable; widen the layer or use a smaller target",
    ),
    ({"hidden_widths": "[5, 5, 5]"}, "hidden_widths: a list of 3 fits depth 4 only, but depths has 3"),
    (
        {"hidden_widths": "wide"},
        "hidden_widths: got 'wide': expected same, a whole number from 1 to 4096, or a list of such numbers",
    ),
    ({"lambdas": "{}"}, "lambdas: no lambda given; list at least one under relative or absolute"),
    ({"lambdas": "{relative: [0]}"}, "lambdas.relative.0: got 0: expected a number greater than 0"),
    ({"lambdas": "{relative: [-.inf]}"}, "lambdas.relative.0: got -inf: expected a finite number"),
    ({"lambdas": "{absolute: [1.e]}"}, "lambdas.absolute.0: got '1.e': expected a number"),
    ({"lambdas": "{relative: [0x]}"}, "lambdas.relative.0: got '0x': expected a number"),
    ({"lambdas": "0.5"}, "lambdas: got 0.5: expected a mapping of keys to values"),
    ({"starts": "{count: 1000000000000}"}, "starts.count: got 1000000000000: expected a number of at most 10000000"),
    (
        {"starts": "{schemes: [zeros]}"},
        "starts.schemes.0: got 'zeros': expected 'gaussian', 'orthogonal', 'balanced' or 'identity'",
    ),
    (
        {"optimizer": "{name: sgd}"},
        "optimizer.name: got 'sgd': expected one of 'lbfgs', 'continuation', 'gd', 'nesterov', 'adam'",
    ),
    ({"optimizer": "{name: lbfgs, step: 1}"}, "optimizer.step: unknown key; see config/README.md for the keys"),
    ({"device": "cuda:0; reboot"}, "device: got 'cuda:0; reboot': expected auto, cpu, torch, cuda or cuda:N"),
    ({"certificate": "{gradient_norm: 1}"}, "certificate.gradient_norm: got 1: expected a number less than 0.01"),
    ({"keep": "{layers: 1}"}, "keep.layers: got 1: expected true or false"),
    ({"tiles": "{seconds: -1}"}, "tiles.seconds: got -1: expected a number greater than 0"),
    (
        {"refute": "{runs: 5}"},
        "refute.runs: got 5: expected 0 or at least 200: fewer would miss the control of the search",
    ),
    ({"figures": "[../collapse]"}, "figures: got ['../collapse']: expected all, or a list of names"),
]

# Whole files.
WHOLE: list[tuple[bytes, str]] = [
    (b"", "got None: expected a mapping of keys to values"),
    (b"[]", "got []: expected a mapping of keys to values"),
    (b"text", "got 'text': expected a mapping of keys to values"),
    (b"\xff\xfe\x00", "not readable as text (…); save it as UTF-8"),
    (b"\x89PNG\r\n\x1a\n", "not readable as text (…); save it as UTF-8"),
    (b"grid: [", "not valid YAML: …"),
    (b"grid: demo\n\tdepths: [3]", "not valid YAML: …"),
    (b"grid: a\ngrid: b", "line 2: key grid is given twice, first in line 1; keep one of them"),
    (b"--- 1\n--- 2", "not valid YAML: …"),
    (b"grid: !!python/object/apply:os.system [id]", "not valid YAML: …"),
    (b"!!python/name:os.system", "not valid YAML: …"),
    (b"grid: *nowhere", "not valid YAML: …"),
    (b"&a [*a]", "line 1: *a is part of itself; write its values out"),
    (b"a: &a {<<: [*a, *a]}", "line 1: *a is part of itself; write its values out"),
    (b"grid: 2026-13-45", "not valid YAML: …"),
    (b"[" * 1100, "not valid YAML: …"),
    (b"grid: " + b"9" * 5000, "not valid YAML: …"),
    (b"grid: 0x" + b"f" * 9000, "grid: got a number of more digits than are shown: expected text (and 3 more)"),
    (b"grid: 1" + b":59" * 100_000, "line 1: a value of 300,001 characters, expected at most 10,000"),
    (b"grid: 1" + b":59" * 3000, "grid: got a number of more digits than are shown: expected text (and 3 more)"),
    (BOMB.encode(), f"line 16: {TOO_MANY}"),
    (MERGED.encode(), f"line 15: {TOO_MANY}"),
    (b"# much\n" * 2**21, "has 14680064 bytes, expected at most 4194304; split it into several grids"),
]
