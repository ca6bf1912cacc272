"""Writes what openTSNE reaches on the sets that our maps are held to: `python -m tests.benchmarks.tsne_reference`.

Its defaults: 750 iterations, PCA start, perplexity 30. Below 4 000 samples by Barnes-Hut and with exact neighbours,
which give it a lower KL divergence; by FFT above. One thread. NNWIDGETS_DATA has to be set. About ten minutes.
"""

from __future__ import annotations

import json
import os
import time
import warnings
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy
import openTSNE
import torch

from tests.analysis.map_quality import Judge
from tests.analysis.tsne_sets import DRAWN, MNIST, samples

FIGURES = Path(__file__).parents[1] / "analysis" / "tsne_reference.json"
SEEDS = range(3)


def measured(name: str, folder: Path) -> dict[str, Any]:
    """Size and fingerprint of a set, and each measure of openTSNE's maps of it, one a seed."""
    data = samples(name, folder)
    judge, n = Judge(data), len(data.x)
    few = n < 4000
    options = {"negative_gradient_method": "bh" if few else "fft", "neighbors": "exact" if few else "auto"}
    qualities = []
    for seed in SEEDS:
        begin = time.perf_counter()
        found = openTSNE.TSNE(n_jobs=1, random_state=seed, **options).fit(data.x.numpy())
        qualities.append(asdict(judge(torch.tensor(numpy.asarray(found)))))
        print(f"{name}, seed {seed}, {time.perf_counter() - begin:.0f} s: {qualities[-1]}")
    columns = {key: [round(each[key], 5) for each in qualities] for key in qualities[0]}
    return {"n": n, "fingerprint": data.fingerprint, **options, **columns}


def main() -> None:
    torch.set_num_threads(1)
    folder = Path(os.environ["NNWIDGETS_DATA"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside openTSNE
        sets = {name: measured(name, folder) for name in (*DRAWN, MNIST)}
    versions = {"openTSNE": openTSNE.__version__, "numpy": numpy.__version__, "torch": torch.__version__}
    content = {"date": date.today().isoformat(), "versions": versions, "sets": sets}
    FIGURES.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
