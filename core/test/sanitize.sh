#!/usr/bin/env bash
# The engine under gcc's sanitizers: core/test/sanitize.sh [address] [thread] [--long], all of both without arguments.
#   address  memory and undefined behaviour: every kernel at every level, plans, few images, threads, random shapes, model files
#   thread   data races: one plan and one stream in many threads, without Python and with it
# --long gives the random shapes and files ten times as long. PYTHON: an interpreter with what the tests need (python3).
# Reports end in exit code 1. Linux and gcc; the builds stay in build/sanitize-*.
set -euo pipefail
cd "$(dirname "$0")/../.."
PYTHON=${PYTHON:-python3}
kinds=() budget=0.25 files=150
for argument in "$@"; do
  case $argument in
    address | thread) kinds+=("$argument") ;;
    --long) budget=2.5 files=3000 ;;
    *) echo "sanitize.sh: got $argument, expected address, thread or --long" >&2; exit 2 ;;
  esac
done
[ "${#kinds[@]}" -gt 0 ] || kinds=(address thread)
step() { printf -- '--> %s (%ss)\n' "$1" "$SECONDS"; }

build() {  # kind, what -fsanitize= takes, targets…: also a copy of the package around the module
  local kind=$1 flags=$2; shift 2
  step "$kind: build"
  cmake -S . -B "build/sanitize-$kind" -G Ninja -DPython_EXECUTABLE="$(command -v "$PYTHON")" -DLENET_KERNEL_TEST=ON \
    -DLENET_SANITIZE="$flags" >/dev/null
  cmake --build "build/sanitize-$kind" --target "$@" >"build/sanitize-$kind/log" || { cat "build/sanitize-$kind/log"; exit 1; }
  rm -rf "build/sanitize-$kind/src"
  mkdir "build/sanitize-$kind/src"
  cp -r src/lenet "build/sanitize-$kind/src/"
  rm -f "build/sanitize-$kind"/src/lenet/_core*.so
  cp "build/sanitize-$kind"/_core*.so "build/sanitize-$kind/src/lenet/"
}

# Python itself and its libraries aren't instrumented; what they leak at exit isn't ours. libstdc++ is loaded early so that
# the sanitizer finds the function that throws.
under() {  # kind, the sanitizer's library, command…
  local kind=$1 library; library="$(g++ -print-file-name="$2") $(g++ -print-file-name=libstdc++.so)"; shift 2
  PYTHONPATH="build/sanitize-$kind/src:.${PYTHONPATH:+:$PYTHONPATH}" LD_PRELOAD="$library" "$@"
}
address() { ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 under address libasan.so "$@"; }
# Its map of the address space knows no randomised one. The loader frees a thread's storage where TSan can't see that the
# thread has ended.
echo "race:_dl_deallocate_tls" >/tmp/lenet-tsan-$$
trap 'rm -f /tmp/lenet-tsan-$$' EXIT
export TSAN_OPTIONS="report_signal_unsafe=0:exitcode=1:suppressions=/tmp/lenet-tsan-$$"
fixed=(setarch -R)
setarch -R true 2>/dev/null || fixed=(env)  # not everywhere allowed, and not everywhere needed
thread() { under thread libtsan.so "${fixed[@]}" "$@"; }

for kind in "${kinds[@]}"; do
  if [ "$kind" = address ]; then
    build address address,undefined core_test threads_test _core
    step "address: kernels at every level, a training step, threads"
    build/sanitize-address/core_test | tail -n 1
    build/sanitize-address/threads_test
    step "address: shared plans, limits, few images, graphs"
    address "$PYTHON" -m pytest -q -p no:cacheprovider tests/test_sharing.py tests/test_few_images.py tests/test_limits.py \
      tests/test_plan_graph.py \
      -k "not daemon and not no_memory and not without_threads and not machine_has_free and not v2 and not reference"
    step "address: random shapes"
    address "$PYTHON" -m bench.reliability shapes --dry --budget "$budget"
    step "address: damaged model files"  # the one kind of file that reaches the engine
    address "$PYTHON" -m bench.reliability.fuzz "model files" 0 0 "$files"
  else
    build thread thread threads_test _core
    step "thread: one plan in many threads"
    "${fixed[@]}" build/sanitize-thread/threads_test
    # Left out: where one thread writes the weights that another reads, which may mix and is a race by intent.
    step "thread: the same from Python"
    thread "$PYTHON" -m pytest -q -p no:cacheprovider tests/test_sharing.py -k "not weights_change and not beside_a_training"
  fi
done
step "all silent"
