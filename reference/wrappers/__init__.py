"""Optimizers that wrap others, one file per generation.

loss_scale.py          what the loss scaling of Keras 2 shares       start here
loss_scale_v2.py       around OptimizerV2: tf2.4 and the `.legacy` editions
loss_scale_v3.py       around the optimizers of tf2.9, tf2.12 and tf2.15
loss_scale_keras3.py   keras3
multi_optimizer.py     keras3: each variable has an optimizer of its own

Source       Micikevicius et al. 2018, Mixed Precision Training, arXiv:1710.03740, section 3.2: why a loss is scaled.
"""
