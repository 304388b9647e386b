"""What every test may ask for."""

pytest_plugins = ["tests.engine_fixtures", "tests.harness"]
