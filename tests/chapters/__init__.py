"""What tutorials do, step by step and on small data of our own, as functions of the library: ``paddle`` or ``lenet``.

Each returns numbers by name. ``test_chapters`` runs all under both and compares. No text or code of a tutorial stands here:
only the calls that each of them teaches.
"""
