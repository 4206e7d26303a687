"""Would we still decide so if we are wrong? Ensembles of futures, what drives them, when a site fails, a survey."""
