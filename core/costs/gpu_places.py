"""Where is a region, and how long does a packet take from Seoul and back? By distance: an estimate, no promise."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

SEOUL = (37.57, 126.98)
NEAR_KOREA = ("KR", "JP", "TW", "HK", "SG")
EARTH_RADIUS_KM = 6_371.0
# Light in fibre covers about 200 km per ms; cables detour. Stretch 1.2 to 2.2 with 1.6 as the middle, and 4 ms for the
# first and last mile, bracket what public looking glasses show for Tokyo, Singapore and US coasts from Seoul.
FIBRE_KM_PER_MS = 200.0
STRETCH_LOW, STRETCH, STRETCH_HIGH = 1.2, 1.6, 2.2
ACCESS_MS = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A city with its country (ISO 3166) and rounded coordinates in degrees; `is_exact` False stands for a country."""

    city: str
    country: str
    latitude: float
    longitude: float
    is_exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """Estimated network round trip from Seoul in milliseconds, and the distance in km along the surface."""

    low_ms: float
    likely_ms: float
    high_ms: float
    distance_km: float


# A typical data-centre city of each country: what is used when only the country is known.
_COUNTRIES: dict[str, tuple[str, float, float]] = {
    "AE": ("Dubai", 25.2, 55.3), "AU": ("Sydney", -33.9, 151.2), "BG": ("Sofia", 42.7, 23.3),
    "BR": ("Sao Paulo", -23.5, -46.6), "CA": ("Montreal", 45.5, -73.6), "CN": ("Shanghai", 31.2, 121.5),
    "CZ": ("Prague", 50.1, 14.4), "DE": ("Frankfurt", 50.1, 8.7), "ES": ("Zaragoza", 41.6, -0.9),
    "FI": ("Helsinki", 60.2, 24.9), "FR": ("Paris", 48.9, 2.4), "GB": ("London", 51.5, -0.1),
    "GR": ("Athens", 38.0, 23.7), "HK": ("Hong Kong", 22.3, 114.2), "HR": ("Zagreb", 45.8, 16.0),
    "HU": ("Budapest", 47.5, 19.0), "ID": ("Jakarta", -6.2, 106.8), "IE": ("Dublin", 53.3, -6.3),
    "IN": ("Mumbai", 19.1, 72.9), "IS": ("Reykjavik", 64.1, -21.9), "IT": ("Milan", 45.5, 9.2),
    "JP": ("Tokyo", 35.7, 139.7), "KR": ("Seoul", 37.57, 126.98), "NL": ("Amsterdam", 52.4, 4.9),
    "NO": ("Oslo", 59.9, 10.8), "PL": ("Warsaw", 52.2, 21.0), "PT": ("Lisbon", 38.7, -9.1),
    "RO": ("Bucharest", 44.4, 26.1), "RU": ("Moscow", 55.8, 37.6), "SE": ("Stockholm", 59.3, 18.1),
    "SG": ("Singapore", 1.35, 103.8), "SI": ("Ljubljana", 46.1, 14.5), "TH": ("Bangkok", 13.8, 100.5),
    "TW": ("Taipei", 25.0, 121.5), "UA": ("Kyiv", 50.5, 30.5), "US": ("Kansas City", 39.1, -94.6),
    "VN": ("Ho Chi Minh City", 10.8, 106.7),
}  # fmt: skip
# Regions as the clouds name them, from their public region lists. AWS, Google, Azure and others share some prefixes.
_REGIONS: dict[str, tuple[str, str, float, float]] = {
    "ap-northeast-1": ("Tokyo", "JP", 35.7, 139.7), "asia-northeast1": ("Tokyo", "JP", 35.7, 139.7),
    "asia-northeast-1": ("Tokyo", "JP", 35.7, 139.7), "ap-northeast-2": ("Seoul", "KR", 37.57, 126.98),
    "asia-northeast3": ("Seoul", "KR", 37.57, 126.98), "koreacentral": ("Seoul", "KR", 37.57, 126.98),
    "asia-northeast2": ("Osaka", "JP", 34.7, 135.5), "asia-northeast-2": ("Osaka", "JP", 34.7, 135.5),
    "ap-northeast-3": ("Osaka", "JP", 34.7, 135.5), "asia-east1": ("Changhua", "TW", 24.1, 120.5),
    "asia-east2": ("Hong Kong", "HK", 22.3, 114.2), "asia-south-1": ("Mumbai", "IN", 19.1, 72.9),
    "asia-south1": ("Mumbai", "IN", 19.1, 72.9), "asia-southeast1": ("Singapore", "SG", 1.35, 103.8),
    "ap-southeast-1": ("Singapore", "SG", 1.35, 103.8), "ap-southeast-2": ("Sydney", "AU", -33.9, 151.2),
    "ap-southeast-3": ("Jakarta", "ID", -6.2, 106.8), "ap-south-1": ("Mumbai", "IN", 19.1, 72.9),
    "southindia": ("Chennai", "IN", 13.1, 80.3), "me-central-1": ("Dubai", "AE", 25.2, 55.3),
    "ca-central-1": ("Montreal", "CA", 45.5, -73.6), "canada-1": ("Montreal", "CA", 45.5, -73.6),
    "eu-central-1": ("Frankfurt", "DE", 50.1, 8.7), "europe-central-1": ("Frankfurt", "DE", 50.1, 8.7),
    "eu-south-2": ("Zaragoza", "ES", 41.6, -0.9), "eu-north1": ("Mantsala", "FI", 60.6, 25.3),
    "eu-north-1": ("Stockholm", "SE", 59.3, 18.1), "eu-west-1": ("Dublin", "IE", 53.3, -6.3),
    "eu-west-2": ("London", "GB", 51.5, -0.1), "eu-west-3": ("Paris", "FR", 48.9, 2.4),
    "eu-west1": ("Paris", "FR", 48.9, 2.4), "europe-west4": ("Eemshaven", "NL", 53.4, 6.8),
    "norway-1": ("Oslo", "NO", 59.9, 10.8), "us-central1": ("Council Bluffs", "US", 41.3, -95.9),
    "us-east-1": ("Ashburn", "US", 39.0, -77.5), "us-east-2": ("Columbus", "US", 40.0, -83.0),
    "us-west-1": ("San Jose", "US", 37.3, -121.9), "us-west-2": ("Boardman", "US", 45.8, -119.7),
    "us-west-3": ("Salt Lake City", "US", 40.8, -111.9), "us-south-1": ("Dallas", "US", 32.8, -96.8),
    "us-midwest-1": ("Chicago", "US", 41.9, -87.6), "us-central-2": ("Dallas", "US", 32.8, -96.8),
    "eastus": ("Richmond", "US", 37.5, -77.4), "eastus2": ("Richmond", "US", 37.5, -77.4),
    "westus2": ("Quincy", "US", 47.2, -119.9), "korea-west-1-scp-b001": ("Seoul", "KR", 37.57, 126.98),
}  # fmt: skip


def country_of(region: str | None) -> str | None:
    """ISO country of a region as a seller writes it (`ap-northeast-2`, `Texas, US, NA`, `FIN-03`), None if unclear."""
    if not region:
        return None
    if region.lower() in _REGIONS:
        return _REGIONS[region.lower()][1]
    parts = [part.strip() for part in region.split(",")]
    candidates = [parts[-2]] if len(parts) > 2 else [parts[-1], *re.findall(r"^[A-Z]{2}(?=[-\d])", region)]
    if region.startswith("FIN-"):
        candidates.append("FI")
    return next((one for one in candidates if one in _COUNTRIES), None)


def place_of(region: str | None, country: str | None) -> Place | None:
    """The place of an offer: its region when known, else its country's usual city, else None."""
    if region and region.lower() in _REGIONS:
        city, where, latitude, longitude = _REGIONS[region.lower()]
        return Place(city=city, country=where, latitude=latitude, longitude=longitude)
    code = country or country_of(region)
    if code not in _COUNTRIES:
        return None
    city, latitude, longitude = _COUNTRIES[code]
    return Place(city=city, country=code, latitude=latitude, longitude=longitude, is_exact=False)


def distance_km(start: tuple[float, float], end: tuple[float, float]) -> float:
    """Great-circle distance of two (latitude, longitude) points in degrees (haversine)."""
    (lat1, lon1), (lat2, lon2) = ((math.radians(one[0]), math.radians(one[1])) for one in (start, end))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(half)))


def round_trip(place: Place) -> RoundTrip:
    """Round trip from Seoul: 2 x distance / `FIBRE_KM_PER_MS` x cable detour (`STRETCH`) + `ACCESS_MS`."""
    km = distance_km(SEOUL, (place.latitude, place.longitude))
    low, middle, high = (ACCESS_MS + 2 * km / FIBRE_KM_PER_MS * one for one in (STRETCH_LOW, STRETCH, STRETCH_HIGH))
    return RoundTrip(low_ms=low, likely_ms=middle, high_ms=high, distance_km=km)
