"""What each fitted coefficient is called on the page Hypothèses, in French and in English."""

from __future__ import annotations

HEADS = {
    "workers": ("Actifs occupés parmi les 20-64 ans", "Employed residents among those aged 20-64"),
    "jobs": ("Emplois au lieu de travail", "Jobs at the place of work"),
    "rural": ("Densité estimée de la commune", "Estimated density of the commune"),
    "travel": ("Temps de route estimé", "Estimated driving time"),
    "flow": ("Trajets domicile-travail modélisés", "Modelled commutes"),
}
"""The model a coefficient belongs to, by the start of its key."""

TERMS = {
    "constant": ("constante", "constant"),
    "share_65": ("effet de la part des 65 ans et plus", "effect of the share aged 65 and over"),
    "share_19": ("effet de la part des moins de 20 ans", "effect of the share aged under 20"),
    "vacant_share": ("effet de la part de logements vacants", "effect of the share of vacant homes"),
    "flat_share": ("effet de la part d'appartements", "effect of the share of flats"),
    "second_home_share": ("effet de la part de résidences secondaires", "effect of the share of second homes"),
    "workers": ("effet du nombre d'actifs occupés", "effect of the number of employed residents"),
    "above_300": ("effet de la population au-delà de 300 habitants", "effect of the population above 300"),
    "above_2000": ("effet de la population au-delà de 2 000 habitants", "effect of the population above 2,000"),
    "above_20000": ("effet de la population au-delà de 20 000 habitants", "effect of the population above 20,000"),
    "centrality_10": (
        "effet du poids de la commune dans la population à moins de 10 km",
        "effect of the commune's share of the population within 10 km",
    ),
    "centrality_20": (
        "effet du poids de la commune dans la population à moins de 20 km",
        "effect of the commune's share of the population within 20 km",
    ),
    "largest_within_10": (
        "effet d'être la plus grande commune à 10 km à la ronde",
        "effect of being the largest commune within 10 km",
    ),
    "flats": ("effet du nombre d'appartements", "effect of the number of flats"),
    "home_flats": (
        "effet du nombre de résidences principales en appartement",
        "effect of the number of main residences that are flats",
    ),
    "home_flat_share": (
        "effet de la part des résidences principales en appartement",
        "effect of the share of main residences that are flats",
    ),
    "area": ("effet de la superficie", "effect of the area"),
    "household_size": ("effet de la taille des ménages", "effect of household size"),
    "activity": ("effet des quartiers d'activité (IRIS)", "effect of business districts (IRIS)"),
    "second_homes": ("effet du nombre de résidences secondaires", "effect of the number of second homes"),
    "prefecture": ("effet d'être préfecture", "effect of being a préfecture"),
    "labour_area_km": ("portée d'un bassin d'emploi", "reach of a labour area"),
    "closure": ("fermeture des bassins d'emploi", "closure of labour areas"),
    "people": ("effet de la population", "effect of the population"),
    "density": ("effet de la densité", "effect of density"),
    "density_3_km": ("effet de la densité à 3 km à la ronde", "effect of density within 3 km"),
    "log_km": ("effet de la distance (logarithme)", "effect of distance (logarithm)"),
    "log_km_squared": (
        "effet de la distance (carré du logarithme)",
        "effect of distance (square of its logarithm)",
    ),
    "log_km_cubed": ("effet de la distance (cube du logarithme)", "effect of distance (cube of its logarithm)"),
    "second_home_share_log_km": (
        "effet croisé des résidences secondaires et de la distance",
        "joint effect of second homes and distance",
    ),
    "people_10_km": ("effet de la population à 10 km à la ronde", "effect of the people within 10 km"),
    "people_10_km_log_km": (
        "effet croisé de la population à 10 km et de la distance",
        "joint effect of the people within 10 km and distance",
    ),
    "gap": ("effet de l'éloignement des mairies voisines", "effect of the gap to the next town halls"),
    "gap_log_km": (
        "effet croisé de l'éloignement des mairies voisines et de la distance",
        "joint effect of the gap to the next town halls and distance",
    ),
    "density_log_km": ("effet croisé de la densité et de la distance", "joint effect of density and distance"),
    "density_apart": ("effet de l'écart de densité entre les deux bouts", "effect of the gap in density between both ends"),
    "density_apart_log_km": (
        "effet croisé de l'écart de densité et de la distance",
        "joint effect of the gap in density and distance",
    ),
    "path": ("effet du chemin par les communes voisines", "effect of the way through neighbouring communes"),
    "path_log_km": ("effet croisé du chemin et de la distance", "joint effect of the way and distance"),
    "path_most": ("chemin le plus malaisé", "the hardest way"),
    "path_density": ("chemin, effet de la densité traversée", "way, effect of the density that is crossed"),
    "path_density_most": ("chemin, densité la plus forte qui compte", "way, highest density that counts"),
    "path_outside": ("chemin, ce que coûte un km hors de toute commune", "way, what a km outside all communes costs"),
    "path_climb": ("chemin, km que coûte un km de dénivelé", "way, km that a km of climb costs"),
    "own_km_per_radius": (
        "trajet à l'intérieur de la commune, en part de son rayon",
        "trip within the commune, as a share of its radius",
    ),
    "power": ("frein de la durée, puissance", "deterrence of time, power"),
    "rate_per_min": ("frein de la durée, par minute", "deterrence of time, per minute"),
    "rate_density": ("effet de la densité sur le frein de la durée", "effect of density on the deterrence of time"),
    "own_constant": ("attrait de sa propre commune, constante", "pull of one's own commune, constant"),
    "own_area": ("attrait de sa propre commune, effet de la superficie", "pull of one's own commune, effect of its area"),
    "own_workers": (
        "attrait de sa propre commune, effet du nombre d'actifs",
        "pull of one's own commune, effect of its employed residents",
    ),
    "own_jobs": (
        "attrait de sa propre commune, effet du nombre d'emplois",
        "pull of one's own commune, effect of its jobs",
    ),
    "cut_1_2": ("limite entre les niveaux 1 et 2", "limit between levels 1 and 2"),
    "cut_2_3": ("limite entre les niveaux 2 et 3", "limit between levels 2 and 3"),
    "cut_3_4": ("limite entre les niveaux 3 et 4", "limit between levels 3 and 4"),
    "cut_5_6": ("limite entre les niveaux 5 et 6", "limit between levels 5 and 6"),
    "cut_6_7": ("limite entre les niveaux 6 et 7", "limit between levels 6 and 7"),
}  # fmt: skip


def labels_of(key: str) -> tuple[str, str]:
    """French and English name of the coefficient `key`. Raises KeyError for one that has no name."""
    model, _, term = key.partition("_")
    (head_fr, head_en), (fr, en) = HEADS[model], TERMS[term]
    return f"{head_fr} : {fr}", f"{head_en}: {en}"
