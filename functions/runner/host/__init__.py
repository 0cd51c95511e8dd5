"""The host APIs: what a guest may call. One module an interface, and one table of what each function needs."""
