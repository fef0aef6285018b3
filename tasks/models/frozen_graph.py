"""A network that is published as a frozen TensorFlow graph, run by TensorFlow: for what comes in no other form."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.errors import BadWeights
from tasks.models.weights import weights_path


class FrozenGraph:
    """A graph with one input and one output; it may be asked from several threads at once."""

    def __init__(self, name: str, output: str) -> None:
        tensorflow = importlib.import_module("tensorflow")
        broken = importlib.import_module("google.protobuf.message").DecodeError
        definition = tensorflow.compat.v1.GraphDef()
        try:
            definition.ParseFromString(weights_path(name).read_bytes())
            graph = tensorflow.Graph()
            with graph.as_default():
                tensorflow.import_graph_def(definition, name="")
            (given,) = (operation for operation in graph.get_operations() if operation.type == "Placeholder")
            self._input, self._output = given.outputs[0], graph.get_tensor_by_name(output)
        except (ValueError, KeyError, broken) as error:
            problem = f"is not the graph that was meant ({str(error).splitlines()[0][:100]})"
            raise BadWeights(name, problem, fix=f"run `veil models fetch {name}`") from error
        options = tensorflow.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        self._session: Any = tensorflow.compat.v1.Session(graph=graph, config=options)

    def run(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The output for an input."""
        return np.asarray(self._session.run(self._output, {self._input: values}), np.float32)


@cache
def load_graph(name: str, output: str) -> FrozenGraph:
    """That of the manifest with this name, once a process. Raises MissingWeights and BadWeights."""
    return FrozenGraph(name, output)
