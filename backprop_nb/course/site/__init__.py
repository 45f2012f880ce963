"""The course as a web site: every view in it steps without a kernel and without a network.

``command.py`` is ``backprop-nb site``; it alone is imported at once, for the others need what the
extra `lab` brings.  ``build.py`` puts the site together, ``execution.py`` runs the notebooks,
``kernel.py`` is what their kernels load, ``markdown.py`` and ``cells.py`` make HTML of them.
"""
