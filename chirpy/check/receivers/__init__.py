"""How a receiver of webhooks treats what senders do."""
