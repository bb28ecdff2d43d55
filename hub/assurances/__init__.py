"""Partner assurance: the questionnaire, its evidence and its expiry."""
