-- Variables for one transaction: the numbers in the ids of a user and a chirp, and unique digits.
\set user random(100000000000, 100000000999)
\set chirp random(100000000000, 100000009999)
\set eight random(10000000, 99999999)
\set twelve random(100000000000, 999999999999)
