#!/bin/sh
# usage: ./requests.sh [URL]
#
# Send the requests of requests.http with curl, and print each with its response. A response with another
# status than the expected one is marked. At the end they are counted; the exit code is 1 if there are any.
#
# Start Chirpy first, with `make run` in another terminal. URL is http://localhost:8080 if not given.
# The first request deletes all data. POLKA_KEY comes from `.env` in this folder, or from the environment.

url=${1:-http://localhost:8080}
POLKA_KEY=${POLKA_KEY:-$(sed -n 's/^POLKA_KEY=//p' "$(dirname "$0")/.env" 2>/dev/null)}
json='Content-Type: application/json'
sent=0
unexpected=0

# request TITLE STATUS METHOD PATH [OPTION OF CURL]...   Send a request, keep the response in `response`.
request() {
    title=$1 expected=$2 method=$3 address=$url$4
    shift 4
    printf '\n### %s\n%s %s\n' "$title" "$method" "$address"
    for argument in "$@"; do
        case $argument in -H | -d | -o | /dev/null) ;; *) printf '%s\n' "$argument" ;; esac
    done
    # Not --include, which would write the headers to the file of -o too.
    response=$(curl -sS --dump-header - -X "$method" "$@" "$address" | tr -d '\r')
    received=$(printf '%s\n' "$response" | sed -n '1s/^[^ ]* \([0-9]*\).*/\1/p')
    if [ -z "$received" ]; then
        printf '\nNothing answers at %s. Next: make run\n' "$url" >&2
        exit 1
    fi
    printf '\n%s\n' "$response" | grep -v -i -E '^(server|date|content-type|content-length):'
    sent=$((sent + 1))
    if [ "$received" != "$expected" ]; then
        unexpected=$((unexpected + 1))
        printf 'UNEXPECTED: the status should be %s\n' "$expected"
    fi
}

# value NAME   Print the text with this name in the JSON of the response.
value() {
    printf '%s\n' "$response" | sed -n 's/.*"'"$1"'": *"\([^"]*\)".*/\1/p'
}

if [ -t 0 ]; then
    printf 'This deletes all users and chirps of %s. Continue? [y/N] ' "$url"
    read -r answer
    [ "$answer" = y ] || exit 1
fi

request 'Delete all data' 200 POST /admin/reset

request 'Check that the server runs' 200 GET /api/healthz

request 'Check that the database answers too' 200 GET /api/readyz

request 'Visit the website' 200 GET /app/ -o /dev/null

request 'Load the logo of the website' 200 GET /app/assets/logo.png -o /dev/null

request 'Show the number of visits' 200 GET /admin/metrics

request 'Sign up' 201 POST /api/users \
    -H "$json" -d '{"email": "first@example.com", "password": "04234"}'
first_id=$(value id)

request 'Sign up a second user' 201 POST /api/users \
    -H "$json" -d '{"email": "second@example.com", "password": "123456"}'
second_id=$(value id)

request 'Sign up with an email that is taken: upper and lower case are the same' 409 POST /api/users \
    -H "$json" -d '{"email": "FIRST@example.com", "password": "other"}'

request 'Log in with a wrong password' 401 POST /api/login \
    -H "$json" -d '{"email": "first@example.com", "password": "wrong"}'

request 'Log in' 200 POST /api/login \
    -H "$json" -d '{"email": "first@example.com", "password": "04234"}'
old_token=$(value token)
old_refresh_token=$(value refresh_token)

request 'Log in as the second user' 200 POST /api/login \
    -H "$json" -d '{"email": "second@example.com", "password": "123456"}'
second_token=$(value token)

request 'Change the email and the password' 200 PUT /api/users \
    -H "Authorization: Bearer $old_token" \
    -H "$json" \
    -d '{"email": "first.of.all@example.com", "password": "a-longer-password"}'

request 'Use the refresh token from before the change of the password' 401 POST /api/refresh \
    -H "Authorization: Bearer $old_refresh_token"

request 'Log in with the new email and password' 200 POST /api/login \
    -H "$json" -d '{"email": "first.of.all@example.com", "password": "a-longer-password"}'
token=$(value token)
refresh_token=$(value refresh_token)

request 'Clean a chirp without posting it' 200 POST /api/validate_chirp \
    -H "$json" -d '{"body": "No Kerfuffle in here"}'

request 'Post a chirp' 201 POST /api/chirps \
    -H "Authorization: Bearer $token" -H "$json" -d '{"body": "Two eggs and a sharbert please"}'
chirp_id=$(value id)

request 'Post a chirp with the refresh token instead of the access token' 401 POST /api/chirps \
    -H "Authorization: Bearer $refresh_token" -H "$json" -d '{"body": "let me in"}'

request 'Post a chirp of 141 characters' 400 POST /api/chirps \
    -H "Authorization: Bearer $token" -H "$json" -d '{"body": "'"$(printf '%141s' '' | tr ' ' a)"'"}'

request 'Post a chirp as the second user, with an Idempotency-Key that makes it safe to send it twice' 201 POST /api/chirps \
    -H "Authorization: Bearer $second_token" \
    -H 'Idempotency-Key: chirp-of-today' \
    -H "$json" \
    -d '{"body": "The early bird posts twice"}'

request 'Send the same request again' 201 POST /api/chirps \
    -H "Authorization: Bearer $second_token" \
    -H 'Idempotency-Key: chirp-of-today' \
    -H "$json" \
    -d '{"body": "The early bird posts twice"}'

request 'Use the same key for another chirp' 422 POST /api/chirps \
    -H "Authorization: Bearer $second_token" \
    -H 'Idempotency-Key: chirp-of-today' \
    -H "$json" \
    -d '{"body": "The early bird posts something else"}'

request 'List all chirps' 200 GET /api/chirps

request 'List all chirps, the newest first' 200 GET '/api/chirps?sort=desc'

request 'List the chirps of one user' 200 GET "/api/chirps?author_id=$second_id"

request 'List the chirps in pages of one' 200 GET '/api/chirps?limit=1'

request 'Show one chirp' 200 GET "/api/chirps/$chirp_id"

request 'Delete a chirp of another user' 403 DELETE "/api/chirps/$chirp_id" \
    -H "Authorization: Bearer $second_token"

request 'Delete the chirp as its author' 204 DELETE "/api/chirps/$chirp_id" \
    -H "Authorization: Bearer $token"

request 'Show the deleted chirp' 404 GET "/api/chirps/$chirp_id"

request 'Get a new access token' 200 POST /api/refresh \
    -H "Authorization: Bearer $refresh_token"
new_token=$(value token)

request 'Post a chirp with the new access token' 201 POST /api/chirps \
    -H "Authorization: Bearer $new_token" -H "$json" -d '{"body": "Still here"}'

request 'Revoke the refresh token' 204 POST /api/revoke \
    -H "Authorization: Bearer $refresh_token"

request 'Use the revoked refresh token' 401 POST /api/refresh \
    -H "Authorization: Bearer $refresh_token"

request 'Deliver an event of a type that Chirpy ignores' 204 POST /api/polka/webhooks \
    -H "Authorization: ApiKey $POLKA_KEY" \
    -H "$json" \
    -d '{"event": "user.payment_failed", "data": {"user_id": "'"$first_id"'"}}'

request 'Deliver an event with a wrong key' 401 POST /api/polka/webhooks \
    -H 'Authorization: ApiKey not-the-key' \
    -H "$json" \
    -d '{"event": "user.upgraded", "data": {"user_id": "'"$first_id"'"}}'

request 'Deliver an event about an unknown user' 404 POST /api/polka/webhooks \
    -H "Authorization: ApiKey $POLKA_KEY" \
    -H "$json" \
    -d '{"event": "user.upgraded", "data": {"user_id": "00000000-0000-4000-8000-000000000000"}}'

request 'Deliver an upgrade' 204 POST /api/polka/webhooks \
    -H "Authorization: ApiKey $POLKA_KEY" \
    -H "$json" \
    -d '{"id": "evt_'"$first_id"'", "event": "user.upgraded", "data": {"user_id": "'"$first_id"'"}}'

request 'Deliver the same upgrade again' 204 POST /api/polka/webhooks \
    -H "Authorization: ApiKey $POLKA_KEY" \
    -H "$json" \
    -d '{"id": "evt_'"$first_id"'", "event": "user.upgraded", "data": {"user_id": "'"$first_id"'"}}'

request 'Show the delivery log' 200 GET /admin/webhooks

request 'Log in again' 200 POST /api/login \
    -H "$json" -d '{"email": "first.of.all@example.com", "password": "a-longer-password"}'

printf '\n%s requests, %s unexpected\n' "$sent" "$unexpected"
[ "$unexpected" = 0 ]
