# Source this where a graphics card is: packages from wheels that were carried, and the CUDA libraries' folders.
#
#     . benchmarks/speed/card_setup.sh FOLDER-OF-WHEELS
#
# It is plain bash, prints what it found, and sets PYTHONPATH and LD_LIBRARY_PATH for this shell.
SITE=${SITE:-/tmp/site}
python3 -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade --target "$SITE" "$1"/*.whl
export PYTHONPATH="$SITE:.${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
# libcudart and libcublas lie in PyTorch's packages, or in the toolkit
for folder in $(python3 -c 'import site; print(" ".join(site.getsitepackages()))'); do
    for libraries in "$folder"/nvidia/cu13/lib "$folder"/nvidia/*/lib; do
        [ -d "$libraries" ] && LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$libraries"
    done
done
for libraries in /usr/local/cuda/lib64 /usr/local/nvidia/lib64 /usr/local/nvidia/lib; do
    [ -d "$libraries" ] && LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$libraries"
done
export LD_LIBRARY_PATH
if ! python3 -c 'import llama_cpp; print("llama.cpp offloads:", llama_cpp.llama_supports_gpu_offload())'; then
    # the wheel does not load here: build one, if its source was carried
    for source in "$1"/llama_cpp_python-*.tar.gz; do
        [ -f "$source" ] || { echo "no source of llama-cpp-python in $1: nothing to build"; break; }
        CMAKE_BUILD_PARALLEL_LEVEL=$(nproc) CMAKE_ARGS="-DGGML_CUDA=on -DCMAKE_CUDA_ARCHITECTURES=90-real -DLLAVA_BUILD=OFF" \
            python3 -m pip install -q --no-index --no-deps --no-build-isolation --upgrade --target "$SITE" "$source" &&
            python3 -c 'import llama_cpp; print("built here; offloads:", llama_cpp.llama_supports_gpu_offload())'
    done
fi
