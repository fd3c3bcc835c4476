"""The egress proof: the real processes do their work where every way out is watched, and nothing goes out.

command (this machine's network)
  stage: a network namespace of its own, the outside world of the next one: DNS, HTTP, a proxy, and a capture
    journey: a namespace with loopback only, later with a route to the stage; its whole tree of processes is traced
      redis, vectors, worker, web, machines, mllp, vllm, and the commands of an engineer
"""
