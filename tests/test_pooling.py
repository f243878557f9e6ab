"""What the head sees of the maps, and which place of a map it came from."""

import io

import onnxruntime
import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate

from spoofweb.model import SpoofNet
from spoofweb.pooling import LEAST, Means, Moments, Shape

SHAPES = [Shape(3, 8), Shape(5, 4)]


def maps(count=4, seed=0):
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(count, c, s, s, generator=random) * 2 + 1 for c, s in SHAPES]


def with_statistics(pool):
    """In evaluation mode, with statistics of its own."""
    pool.norm.running_mean.normal_(generator=torch.Generator().manual_seed(1))
    pool.norm.running_var.uniform_(0.5, 2, generator=torch.Generator().manual_seed(2))
    return pool.eval()


@pytest.fixture
def moments():
    return with_statistics(Moments(SHAPES))


class Taken(torch.nn.Module):
    """What `Moments.taken` gives for one map, to be exported."""

    def __init__(self, pool):
        super().__init__()
        self.pool = pool

    def forward(self, each):
        return self.pool.taken([each])


def test_means_are_the_channels_means_in_order():
    first, second = maps()
    expected = torch.cat([first.flatten(2).mean(2), second.flatten(2).mean(2)], 1)
    assert torch.allclose(Means(SHAPES)([first, second]), expected, atol=1e-6)


def test_moments_are_standardised_means_and_deviations(moments):
    found = moments(maps())
    columns = []
    for each in maps():
        flat = each.flatten(2).double()
        columns += [flat.mean(2), (flat.var(2, correction=0) + LEAST).sqrt()]
    norm = moments.norm
    expected = (torch.cat(columns, 1) - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
    assert found.shape == (4, moments.outputs) == (4, 16)
    assert torch.allclose(found.double(), expected, atol=1e-5)


def test_a_channel_without_variance_has_a_slope():
    flat = [torch.ones(2, c, s, s, requires_grad=True) for c, s in SHAPES]
    Moments(SHAPES).eval()(flat).sum().backward()
    assert all(torch.isfinite(each.grad).all() for each in flat)


def test_places_add_up_to_the_gradient_times_what_was_pooled(moments):
    gradient = torch.randn(4, moments.outputs, generator=torch.Generator().manual_seed(3))
    placed = moments.placed(gradient, maps())
    assert [tuple(each.shape) for each in placed] == [(4, 1, 8, 8), (4, 1, 4, 4)]
    parts = (gradient * moments(maps())).split([2 * shape.channels for shape in SHAPES], 1)
    for each, part in zip(placed, parts, strict=True):
        assert torch.allclose(each.mean((1, 2, 3)), part.sum(1), atol=1e-4)


def test_maps_of_one_side_keep_their_order():
    shapes, (first, second) = [*SHAPES, Shape(3, 8)], maps()
    third = first.flip(0) + 1
    pool, alone = with_statistics(Moments(shapes)), Moments(SHAPES[:1])
    found = pool.taken([first, second, third])
    assert torch.allclose(found[:, :6], alone.taken([first]), atol=1e-6)
    assert torch.allclose(found[:, -6:], alone.taken([third]), atol=1e-6)
    gradient = torch.randn(4, pool.outputs, generator=torch.Generator().manual_seed(4))
    placed = pool.placed(gradient, [first, second, third])
    parts = (gradient * pool([first, second, third])).split([6, 10, 6], 1)
    for each, part in zip(placed, parts, strict=True):
        assert torch.allclose(each.mean((1, 2, 3)), part.sum(1), atol=1e-4)
    assert [each.shape[-1] for each in placed] == [8, 4, 8]


def test_a_channel_that_hardly_varies_keeps_its_digits_in_every_engine():
    """Nor does half precision take them, where a GPU would use it."""
    near = 30 + 1e-3 * torch.randn(2, 3, 112, 112, generator=torch.Generator().manual_seed(5))
    pool = Moments([Shape(3, 112)])
    file = io.BytesIO()
    torch.onnx.export(Taken(pool), near, file, input_names=["map"], opset_version=13, dynamo=False)
    (other,) = onnxruntime.InferenceSession(file.getvalue()).run(None, {"map": near.numpy()})
    with torch.autocast("cpu", torch.bfloat16):
        half = pool.taken([near])
    exact = pool.taken([near.double()])
    for found in (torch.from_numpy(other), half, pool.taken([near.contiguous(memory_format=torch.channels_last)])):
        assert torch.allclose(found.double(), exact, atol=5e-6, rtol=0)


def test_an_odd_place_stands_out(moments):
    quiet = [torch.zeros(1, c, s, s) for c, s in SHAPES]
    quiet[0][0, 1, 2, 5] = 9.0
    for column in (1, SHAPES[0].channels + 1):  # the mean of that channel, then its deviation
        gradient = torch.zeros(1, moments.outputs)
        gradient[0, column] = 1.0
        assert moments.placed(gradient, quiet)[0].flatten().argmax() == 2 * 8 + 5


def test_evidence_by_moments_adds_up_and_lies_where_it_came_from():
    torch.manual_seed(5)
    net = SpoofNet("moments", 3).eval()
    net.temperature.fill_(1.7)
    with torch.no_grad():
        for _ in range(3):
            net.train()(torch.rand(8, 3, 224, 224))  # gives the norm statistics
    net.eval()
    found = [m.detach() for m in net.features(torch.rand(4, 3, 224, 224))]
    pooled = net.pool(found).detach().requires_grad_()
    (net.head(pooled).squeeze(1) / net.temperature).sum().backward()
    evidence = net.evidence(*found)
    assert evidence.shape == (4, 28, 28)
    assert torch.allclose(evidence.sum((1, 2)), (pooled.grad * pooled).sum(1), rtol=1e-3, atol=1e-6)
    expected = 0
    for each in net.pool.placed(pooled.grad, found):
        side = each.shape[2]
        expected += avg_pool2d(each, side // 28) if side > 28 else interpolate(each, (28, 28), mode="bilinear")
    expected = expected.squeeze(1) / 28**2
    assert (evidence - expected).abs().max() <= 1e-4 * expected.abs().max()
