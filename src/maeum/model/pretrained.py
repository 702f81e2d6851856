"""The network as transformers knows it: trained by its Trainer, kept in its layout."""

from __future__ import annotations

from functools import wraps
from typing import Any

from torch import nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from maeum.model.config import NetworkConfig
from maeum.model.network import Network


class EmotionNetwork(Network, PreTrainedModel):
    """Equations (1) to (4) over features of speech, text, or both.

    Args:
        config: what it is made of.
    """

    config_class = NetworkConfig
    base_model_prefix = "network"
    main_input_name = "speech"
    accepts_loss_kwargs = False  # else Trainer scales the loss by the number of devices
    config: NetworkConfig

    def __init__(self, config: NetworkConfig) -> None:
        PreTrainedModel.__init__(self, config)
        self._build(config)
        self.post_init()  # type: ignore[no-untyped-call]

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            module.reset_parameters()

    @wraps(Network.forward)  # Trainer looks for `labels` among its arguments
    def forward(self, *args: Any, **inputs: Any) -> SequenceClassifierOutput:  # type: ignore[override]  # noqa: ANN401
        """As `Network.forward`, in the words of transformers."""
        return SequenceClassifierOutput(**super().forward(*args, **inputs)._asdict())
