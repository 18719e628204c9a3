"""Stands in for redis-cli, which the wheel with Valkey lacks: `redis-cli -h HOST -p PORT WORDS…`."""

import argparse

import redis

parser = argparse.ArgumentParser(add_help=False)
parser.add_argument("-h", dest="host", default="127.0.0.1")
parser.add_argument("-p", dest="port", type=int, default=6379)
parser.add_argument("words", nargs="+")
given = parser.parse_args()

answer = redis.Redis(given.host, given.port, decode_responses=True).execute_command(*given.words)
if isinstance(answer, dict):
    answer = [word for pair in answer.items() for word in pair]
print("\n".join(answer) if isinstance(answer, list) else "PONG" if answer is True else answer)
