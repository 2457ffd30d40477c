"""The names of a UNet's layers in SDXL's original release."""

from __future__ import annotations

_UNET_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_UNET_TOP = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}


def unet_key(key: str, layers: int) -> str:
    """The original name of a weight, where each block has so many `layers`.

    `input_blocks` counts the first convolution, each layer and each downsampler; `output_blocks` each layer.
    """
    for ours, original in _UNET_TOP.items():
        if key.startswith(ours + "."):
            return original + key[len(ours) :]
    parts = key.split(".")
    if parts[0] == "mid_block":
        number = 1 if parts[1] == "attentions" else 2 * int(parts[2])
        return f"middle_block.{number}.{_inner(parts[1], parts[3:])}"
    block, kind, index, rest = int(parts[1]), parts[2], int(parts[3]), parts[4:]
    if parts[0] == "down_blocks":
        first = 1 + block * (layers + 1)
        if kind == "downsamplers":
            return f"input_blocks.{first + layers}.0.op.{rest[-1]}"
        return f"input_blocks.{first + index}.{int(kind == 'attentions')}.{_inner(kind, rest)}"
    first = block * (layers + 1)
    if kind == "upsamplers":
        # After the block's last layer, which has attention beside its resnet.
        return f"output_blocks.{first + layers}.2.conv.{rest[-1]}"
    return f"output_blocks.{first + index}.{int(kind == 'attentions')}.{_inner(kind, rest)}"


def _inner(kind: str, rest: list[str]) -> str:
    if kind == "resnets":
        return ".".join([_UNET_RESNET[rest[0]], *rest[1:]])
    return ".".join(rest)
