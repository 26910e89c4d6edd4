"""Make models/Stable-diffusion/easel-emoji.safetensors, the embedded checkpoint, from drawings in packages.

    OMP_WAIT_POLICY=passive venv/bin/python -m tools.train_embedded_model [--work DIR] [--device cuda]

Four stages, each kept in the work folder and taken up where it was stopped: drawings, VAE, UNet with text
encoder, and the finer training of the VAE's decoder. Needs Node.js's `npm` for the packages and `resvg-py`
for drawing. Same arguments on the same machine: the same file.
"""

import argparse
import logging
from pathlib import Path

import numpy as np
import torch
from transformers import CLIPTokenizer

from tools.embedded_model.autoencoder import latents_of, train_vae, tune_decoder
from tools.embedded_model.concepts import CONCEPTS, FURTHER_DRAWINGS, STYLES
from tools.embedded_model.diffusion import train_drawer
from tools.embedded_model.drawings import draw_all, fetch, names_in_every
from tools.embedded_model.export import export, normalised

ROOT = Path(__file__).resolve().parents[1]
log = logging.getLogger("train_embedded_model")


def drawings(work: Path) -> tuple[np.ndarray, np.ndarray]:
    """What the VAE learns from, (N, 128, 128, 3), and the concepts, (concepts, styles, 128, 128, 3).

    The VAE sees all icons that every set has, without skin tones and flags.
    """
    file = work / "drawings.npz"
    if not file.exists():
        sets = [fetch(style, work / "packages") for style in (*STYLES, *FURTHER_DRAWINGS)]
        everything = draw_all(sets, names_in_every(sets))
        of_concepts = draw_all(sets[: len(STYLES)], [concept.icon for concept in CONCEPTS])
        np.savez(file, everything=everything.reshape(-1, *everything.shape[2:]), concepts=of_concepts)
    with np.load(file) as kept:
        return kept["everything"], kept["concepts"]


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, default=ROOT / ".cache" / "embedded-model")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "models" / "Stable-diffusion" / "easel-emoji.safetensors"
    )
    parser.add_argument("--tokenizer", type=Path, default=ROOT / "configs" / "clip-tokenizer")
    parser.add_argument("--vae-steps", type=int, default=2500)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--decoder-steps", type=int, default=1000)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def metadata(steps: int) -> dict[str, str]:
    """What the file says about itself, under the names of the modelspec standard."""
    words = " and ".join(style.word for style in STYLES)
    return {
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.title": "Easel emoji",
        "modelspec.architecture": "stable-diffusion-v1",
        "modelspec.implementation": "diffusers",
        "modelspec.resolution": "128x128",
        "modelspec.prediction_type": "epsilon",
        "modelspec.description": f"{len(CONCEPTS)} emoji in {words} style, after {steps} steps of training",
        "modelspec.license": "; ".join(
            f"{s.attribution} ({s.licence})" for s in (*STYLES, *FURTHER_DRAWINGS)
        ),
    }


def main() -> None:
    """Run the stages that are not done yet."""
    args = arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(min(torch.get_num_threads(), 4))
    args.work.mkdir(parents=True, exist_ok=True)

    everything, of_concepts = drawings(args.work)
    log.info("%d drawings, %d concepts in %d styles", len(everything), *of_concepts.shape[:2])
    vae = train_vae(everything, args.vae_steps, args.work / "vae.pt", args.device)
    latents = latents_of(vae, of_concepts).cpu()
    tokenizer = CLIPTokenizer.from_pretrained(args.tokenizer)
    drawer = train_drawer(normalised(latents), tokenizer, args.steps, args.work / "drawer.pt", args.device)
    flat = of_concepts.reshape(-1, *of_concepts.shape[2:])
    vae = tune_decoder(vae, everything, flat, args.decoder_steps, args.work / "decoder.pt", args.device)
    size = export(drawer, vae, latents, args.out, metadata(args.steps))
    log.info("wrote %s, %.1f MB", args.out.name, size / 1e6)


if __name__ == "__main__":
    main()
