"""JAX's side of scripts/bench: jax_steps.py JOB prints lines "JOB VALUE"; what is timed equals ours.lua's jobs.

One jitted function an epoch, its steps as one lax.scan, parameters and data on the device: the way JAX is fastest.
"""
import os
import sys
import time

os.environ.setdefault("JAX_PLATFORMS", "cpu")
import jax
import jax.numpy as jnp
import numpy as np

QUICK = os.environ.get("BENCH_QUICK") == "true"
BATCH = 64


def linear(key, inputs, outputs):
    bound = 1 / np.sqrt(inputs)
    keys = jax.random.split(key)
    return tuple(
        jax.random.uniform(k, shape, minval=-bound, maxval=bound) for k, shape in zip(keys, ((inputs, outputs), (outputs,)))
    )


def model():
    sizes = dict(a=(100, 128), b=(74, 128), fusion=(256, 128), head=(128, 6), head_a=(128, 6), head_b=(128, 6))
    keys = jax.random.split(jax.random.PRNGKey(0), len(sizes))
    return {name: linear(key, *size) for key, (name, size) in zip(keys, sizes.items())}


def data(n):
    rng = np.random.default_rng(0)
    x = [jnp.asarray(rng.standard_normal((n, width)).astype("f4")) for width in (100, 74)]
    return (*x, jnp.asarray(rng.integers(0, 6, n)))


def apply(layer, x):
    return x @ layer[0] + layer[1]


def features(p, xa, xb):
    return jax.nn.relu(apply(p["a"], xa)), jax.nn.relu(apply(p["b"], xb))


def fused(p, ea, eb):
    return apply(p["head"], jax.nn.relu(apply(p["fusion"], jnp.concatenate([ea, eb], 1))))


def cross_entropy(logits, y):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1)[:, 0]


def joint_loss(p, xa, xb, y):
    return jnp.mean(cross_entropy(fused(p, *features(p, xa, xb)), y))


def sample_losses(p, xa, xb, y):
    """Eq. 5 of the paper: 0.8 of the fused head's loss and 0.2 of each unimodal one's."""
    ea, eb = features(p, xa, xb)
    heads = apply(p["head_a"], ea), apply(p["head_b"], eb)
    own = sum(cross_entropy(logits, y) for logits in heads)
    return 0.8 * cross_entropy(fused(p, ea, eb), y) + 0.2 * own, heads


def train(loss, p, v, rows, xa, xb, y):
    """SGD with momentum over batches of rows [steps, 64]; returns the loss of every step."""

    def step(state, batch):
        p, v = state
        value, g = jax.value_and_grad(loss)(p, xa[batch], xb[batch], y[batch])
        v = jax.tree.map(lambda v, g, p: 0.9 * v + g + 1e-4 * p, v, g, p)
        return (jax.tree.map(lambda p, v: p - 0.01 * v, p, v), v), value

    return jax.lax.scan(step, (p, v), rows)


def steps():
    """Steps/s over epochs of 100 steps in an order drawn on the host; the loss of every step, no metrics."""
    epoch = jax.jit(lambda *given: train(joint_loss, *given), donate_argnums=(0, 1))
    rng = np.random.default_rng(1)
    xa, xb, y = data(6400)
    p = {name: layer for name, layer in model().items() if name in ("a", "b", "fusion", "head")}
    v = jax.tree.map(jnp.zeros_like, p)

    def epochs(p, v, count):
        for _ in range(count):
            (p, v), loss = epoch(p, v, jnp.asarray(rng.permutation(6400).reshape(-1, BATCH)), xa, xb, y)
            loss.block_until_ready()
        return p, v

    count = 10 if QUICK else 40
    p, v = epochs(p, v, 5)
    start = time.perf_counter()
    epochs(p, v, count)
    print("a", count * 100 / (time.perf_counter() - start))


def bss_epoch():
    """Milliseconds of an epoch: every sample scored, an order drawn by the weights (Gumbel), training on Eq. 5; no metrics."""

    def scaled(x):
        return (x - x.min()) / (x.max() - x.min() + 1e-12)

    def loss(p, xa, xb, y):
        return jnp.mean(sample_losses(p, xa, xb, y)[0])

    @jax.jit
    def epoch(p, v, scores, key, xa, xb, y):
        losses, heads = sample_losses(p, xa, xb, y)
        pa, pb = map(jax.nn.softmax, heads)
        similarity = jnp.sum(pa * pb, 1) / (jnp.linalg.norm(pa, axis=1) * jnp.linalg.norm(pb, axis=1))
        scores = 0.4 * scores + 0.6 * (scaled(similarity) - scaled(losses))
        order = jnp.argsort(-(scores + jax.random.gumbel(key, scores.shape)))
        whole = len(order) // BATCH * BATCH
        (p, v), values = train(loss, p, v, order[:whole].reshape(-1, BATCH), xa, xb, y)
        return p, v, scores, values

    n, p = 10000, model()
    v, scores, given = jax.tree.map(jnp.zeros_like, p), jnp.zeros(n), data(n)
    times = []
    for i in range(4 if QUICK else 12):
        start = time.perf_counter()
        p, v, scores, values = epoch(p, v, scores, jax.random.PRNGKey(i), *given)
        values.block_until_ready()
        times.append((time.perf_counter() - start) * 1000)
    print("b", np.median(times[1:]))


if __name__ == "__main__":
    {"a": steps, "b": bss_epoch}[sys.argv[1]]()
    print("kernel", f"XLA of jax {jax.__version__}")
