"""No test reaches a paid API, and no unit test the network: refused where it happens, and the test fails of it."""
