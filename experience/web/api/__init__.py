"""The API of programs: one module a subject, each operation with its OpenAPI entry."""
