-- name: rejects
-- title: Refused lines
-- help: Lines that ingest refused, the latest first, with the place in their file and the reason. The window is that of the ingestion.
-- needs: d
-- param: top int = 20  Rows to show, 0 for all
-- column: line text
-- column: byte_offset text
-- column: size_bytes bytes
select ingested_at, source, line, byte_offset, reason, field, value, size_bytes, raw
from rejects
order by ingested_at desc, source, byte_offset
limit case when $top = 0 then 9223372036854775807 else $top end
