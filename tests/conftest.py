"""What holds for every test."""

from hypothesis import settings

# Time limits are pytest's: a shared machine makes single examples slow. CI repeats the same examples.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, database=None)
settings.load_profile("ci" if settings.get_current_profile_name() == "ci" else "local")
