"""Small kernels that answer like the large ones that they replace: where a narrowed backbone starts its training from.

A 5×5 depthwise convolution costs 2.8 times a 3×3 one. Cutting its rim off throws away what the rim had learnt; the 3×3
kernel that comes closest to the 5×5 one on real pictures, in the sense of least squares, keeps the most of it.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import unfold

from spoofweb.model import SpoofNet, depthwise


@torch.no_grad()
def fit(net: SpoofNet, wide: SpoofNet, pixels: Tensor) -> None:
    """Change the narrowed depthwise kernels of `net`, first to last, so that each answers as its wide one.

    wide: the same network with its 5×5 kernels. pixels: float [N, 3, 224, 224] RGB in 0..1, crops as in training.
    Neither network's mode or other weights change.
    """
    modes = net.training, wide.training
    net.eval(), wide.eval()
    for convolution, published in zip(depthwise(net.backbone), depthwise(wide.backbone), strict=True):
        if convolution.kernel_size == published.kernel_size:
            continue
        seen, wanted = passing(net, convolution, pixels)[0], passing(wide, published, pixels)[1]
        convolution.weight.copy_(closest(seen, wanted, convolution))
    net.train(modes[0]), wide.train(modes[1])


def passing(net: SpoofNet, module: nn.Module, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """What goes into a part of the network and comes out of it."""
    caught = []
    hook = module.register_forward_hook(lambda _, inputs, output: caught.append((inputs[0], output)))
    net.features(pixels)
    hook.remove()
    return caught[0]


def closest(seen: Tensor, wanted: Tensor, convolution: nn.Conv2d) -> Tensor:
    """The depthwise kernels [C, 1, k, k] that bring inputs [N, C, H, W] closest to outputs [N, C, h, w]."""
    kernel, channels = convolution.kernel_size[0], seen.shape[1]
    patches = unfold(seen, kernel, padding=convolution.padding, stride=convolution.stride)
    patches = patches.view(len(seen), channels, kernel * kernel, -1).double()
    answers = wanted.flatten(2).double()
    square = torch.einsum("ncip,ncjp->cij", patches, patches)
    mixed = torch.einsum("ncip,ncp->ci", patches, answers)
    ridge = 1e-6 * square.diagonal(dim1=1, dim2=2).mean(1) + 1e-12  # a channel that is silent keeps a solution
    square += ridge[:, None, None] * torch.eye(kernel * kernel, dtype=square.dtype)
    return torch.linalg.solve(square, mixed).view(channels, 1, kernel, kernel).to(seen.dtype)
