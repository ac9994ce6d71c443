"""How far results may be apart, each with what was measured and why."""

# Two runtimes on the shipped segmenters: 1.4e-6 measured; float32 sums in another order.
RUNTIMES = 1e-4
# bfloat16 against float32 on person-light: at most 0.0063, 0.00024 in the mean measured.
BF16 = 1e-2
BF16_MEAN = 1e-3
# Mean |Δalpha| in the band of a two-colour picture whose alpha is known: guided 0.013
# to 0.019, closed-form 0.0006 measured.
REFINED = 0.02
# The same by a refiner that doesn't look at the picture: smooth 0.046 to 0.050 measured.
REFINED_BLIND = 0.06
# Official checkpoints filled by rule, against the official code: GCA 5e-7 on every runtime, MODNet
# 2e-6 to 7e-5 in torch (it depends on the threads), 1.25e-4 in the others: rounding of float32,
# which random weights amplify; the official result itself is 8e-5 from float64.
OFFICIAL = 1e-4
OFFICIAL_MODNET = 2e-4
# Alphas of several trimaps through a network at once, against one after the other: 0 measured on
# OpenVINO and ONNX Runtime; a runtime may choose other kernels for a batch.
BATCHED = 1e-4
