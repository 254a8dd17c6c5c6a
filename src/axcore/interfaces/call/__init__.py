"""The VAPIX Call service: its methods, and the simple and SOAP forms of them."""
