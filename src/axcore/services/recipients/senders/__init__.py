"""One module for each way to reach a recipient: ``async def send(target, parcel, dialer)``. Raises DeliveryError."""
