"""What every test may ask for."""

pytest_plugins = ["tests.engine_fixtures", "tests.processes", "tests.compose.docker_here", "tests.harness"]
