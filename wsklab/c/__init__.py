"""The C front end: C source in, Python functions out. It knows nothing of kernels.

One phase per module, in the order in which a text passes through them:

1. `tokens`, `preprocess`  text to preprocessing tokens, directives and macros (pcpp)
2. `tokens` again          Microsoft's words to standard ones; numbers and characters are refused or accepted here
3. `parse`, `gaps`, `mistakes`  tokens to pycparser's tree; ``...`` becomes a gap; a stop becomes a sentence
4. `declare`, `records`, `constant`, `types`  names, types, layouts, constant expressions
5. `check`                 every body gets its types
6. `emit`, `link`          typed trees to Python functions

`source` reports for all of them, `headers` is the prelude that every unit sees, `runtime` what the functions need to run.
"""
