"""What every HTTP room shares: errors, request bodies, fields, paging, request ids and logs."""
