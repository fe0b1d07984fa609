"""The yardstick: a bare Flask application whose one route inserts one SQLModel row and commits."""

import os
from datetime import UTC, datetime

from flask import Flask, jsonify, request
from sqlalchemy import create_engine
from sqlmodel import Field, Session, SQLModel


class BenchAnswer(SQLModel, table=True):
    """A row like an answer: a code, a text, a score, an instant."""

    __tablename__ = "bench_answer"
    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(index=True)
    text: str
    score: int
    at: datetime


def create_app() -> Flask:
    """The application on DATABASE_URL, with as many connections as ours."""
    address = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(address, pool_size=8, max_overflow=8)
    SQLModel.metadata.create_all(engine, tables=[BenchAnswer.__table__])  # type: ignore[attr-defined]
    app = Flask("bare")

    @app.get("/readyz")
    def readyz() -> str:
        return "ok"

    @app.post("/answers")
    def insert() -> tuple[object, int]:
        sent = request.get_json()
        row = BenchAnswer(code=sent["code"], text=sent["text"], score=sent["score"], at=datetime.now(UTC))
        with Session(engine) as session:
            session.add(row)
            session.commit()
            return jsonify(id=row.id), 201

    return app
