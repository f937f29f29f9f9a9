"""Analysers of blood and urine: recorded ASTM sessions and Spotchem prints, in the words of their publisher."""

from collections.abc import Mapping
from decimal import Decimal

from kanhu.edge.codecs.astm_link import join_astm_frames, split_astm_capture
from kanhu.edge.codecs.astm_records import AstmResult, decode_astm
from kanhu.edge.codecs.spotchem import decode_spotchem
from kanhu.harness.vectors.vector import Adapter, Vector

__all__ = ["ADAPTERS"]


def _astm(vector: Vector) -> Mapping[str, object]:
    frames = split_astm_capture(vector.frame)
    messages = decode_astm(join_astm_frames(frames))
    return {
        "frames": len(frames),
        "frame_checksums_ok": [frame.checksum_ok for frame in frames],
        "results": [_result(result) for message in messages for result in message.results],
    }


def _result(result: AstmResult) -> Mapping[str, object]:
    """`completed` is what the publisher calls the only time that some analysers send."""
    return {
        "test": result.test,
        "value": result.value_text,
        "unit": result.unit,
        "flag": result.flag_text,
        "status": result.status,
        "completed": result.completed_at or result.started_at,
    }


def _spotchem(vector: Vector) -> Mapping[str, object]:
    told = decode_spotchem(vector.frame)
    values: dict[str, Decimal | None] = {f"{one.name}_{one.unit.replace('/', '_')}": one.value for one in told.results}
    return {"sample_id": told.sample_id, "sample_type": told.sample_kind, **values}


ADAPTERS: Mapping[str, Adapter] = {
    "ASTM E1381/E1394 capture*": _astm,
    "Arkray Spotchem EL*": _spotchem,
}
