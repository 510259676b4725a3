-- 1000 users. Their ids end with a number of twelve digits, which pgbench can compute.
INSERT INTO users (id, email)
SELECT ('00000000-0000-4000-8000-' || number)::uuid, 'user-' || number || '@bench.example'
FROM generate_series(100000000000, 100000000999) AS number
