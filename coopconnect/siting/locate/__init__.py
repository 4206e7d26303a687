"""Classical location models on any matrix, with a proven bound: see `locate` in `coopconnect.siting.locate.solve`."""
