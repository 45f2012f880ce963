"""All programs, from every module of this folder."""

import backward
import classifiers
import idioms
import images
import losses
import matrices
import networks
import probability
import sequences
import simulation
from program import PROGRAMS

__all__ = ["PROGRAMS"]

TOPICS = (
    backward,
    classifiers,
    idioms,
    images,
    losses,
    matrices,
    networks,
    probability,
    sequences,
    simulation,
)
