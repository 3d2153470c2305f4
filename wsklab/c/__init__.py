"""The C front end: C source in, Python functions out. It knows nothing of kernels.

One phase per module, in the order in which a text passes through them:

1. `tokens`, `preprocess`  text to preprocessing tokens, directives and macros (pcpp)
2. `tokens` again          Microsoft's words to standard ones; numbers and characters are refused or accepted here
3. `parse`, `mistakes`  tokens to pycparser's tree; ``...`` becomes a gap; a stop becomes a sentence
4. `declare`, `records`, `constant`, `types`  names, types, layouts, constant expressions
5. `check`                 every body is checked and becomes Python, in one walk: `statements`, `labels`, `initialisers`,
   `expressions`, `operators` over the arithmetic of `conversions` and `values`; `body` holds the state, `python` makes the
   syntax nodes
6. `link`, `support`       units to functions that run; the functions that wait are made once more

`source` reports for all of them, `headers` is the prelude that every unit sees, `runtime` what the functions need to run.
"""
