"""What every test may ask for."""

pytest_plugins = ["tests.processes", "tests.engine_fixtures", "tests.compose.docker_here", "tests.harness"]
