"""The fields of NMEA 0183 sentences in their order, by the names of Knio/pynmea2@13e309b.

Behind a colon stands the form: n a number, w a whole number, t a time, d a date; else it is text, as sent.
"""

from collections.abc import Mapping
from enum import Enum

_TABLE = """
GGA timestamp:t lat lat_dir lon lon_dir gps_qual:w num_sats horizontal_dil altitude:n altitude_units geo_sep
GGA geo_sep_units age_gps_data ref_station_id
GNS timestamp:t lat lat_dir lon lon_dir mode_indicator num_sats hdop altitude:n geo_sep age_gps_data diferential
GLL lat lat_dir lon lon_dir timestamp:t status faa_mode
RMC timestamp:t status lat lat_dir lon lon_dir spd_over_grnd:n true_course:n datestamp:d mag_variation mag_var_dir
RMC mode_indicator nav_status
VTG true_track:n true_track_sym mag_track:n mag_track_sym spd_over_grnd_kts:n spd_over_grnd_kts_sym
VTG spd_over_grnd_kmph:n spd_over_grnd_kmph_sym faa_mode
ZDA timestamp:t day:w month:w year:w local_zone:w local_zone_minutes:w
GST timestamp:t rms:n std_dev_major:n std_dev_minor:n orientation:n std_dev_latitude:n std_dev_longitude:n
GST std_dev_altitude:n
GSA mode mode_fix_type sv_id01 sv_id02 sv_id03 sv_id04 sv_id05 sv_id06 sv_id07 sv_id08 sv_id09 sv_id10 sv_id11 sv_id12
GSA pdop hdop vdop
GSV num_messages msg_num num_sv_in_view sv_prn_num_1 elevation_deg_1 azimuth_1 snr_1
GSV sv_prn_num_2 elevation_deg_2 azimuth_2 snr_2 sv_prn_num_3 elevation_deg_3 azimuth_3 snr_3
GSV sv_prn_num_4 elevation_deg_4 azimuth_4 snr_4
GRS timestamp:t residuals_mode:w sv_res_01:n sv_res_02:n sv_res_03:n sv_res_04:n sv_res_05:n sv_res_06:n sv_res_07:n
GRS sv_res_08:n sv_res_09:n sv_res_10:n sv_res_11:n sv_res_12:n
TXT num_msg msg_num msg_type text
DTM datum subd_datum lat lat_dir lon lon_dir altitude datum_code
WPL lat lat_dir lon lon_dir waypoint_id
RTE num_in_seq sen_num start_type active_route_id
BOD bearing_t:n bearing_t_type bearing_mag:n bearing_mag_type dest start
RMB status cross_track_error cte_correction_dir origin_waypoint_id dest_waypoint_id dest_lat dest_lat_dir dest_lon
RMB dest_lon_dir dest_range dest_true_bearing dest_velocity arrival_alarm
XTE warning_flag lock_flag cross_track_err_dist correction_dir dist_units
HDG heading:n deviation:n dev_dir variation:n var_dir
HDT heading:n hdg_true
HDM heading:n magnetic
HSC heading_true:n true heading_magnetic:n magnetic
ROT rate_of_turn status
RPM source engine_no:w speed:n pitch status
RSA rsa_starboard:n rsa_starboard_status rsa_port:n rsa_port_status
VBW lon_water_spd:n trans_water_spd:n data_validity_water_spd lon_grnd_spd:n trans_grnd_spd:n data_validity_grnd_spd
VDR deg_t:n true deg_m:n magnetic current:n unit_kn
VHW heading_true:n true heading_magnetic:n magnetic water_speed_knots:n knots water_speed_km:n kilometers
VLW trip_distance:n trip_distance_miles trip_distance_reset:n trip_distance_reset_miles
VPW speed_kn:n unit_knots speed_ms:n unit_ms
VWR deg_r:n l_r wind_speed_kn:n unit_knots wind_speed_ms:n unit_ms wind_speed_km:n unit_km
MWD direction_true:n true direction_magnetic:n magnetic wind_speed_knots:n knots wind_speed_meters:n meters
MWV wind_angle:n reference wind_speed:n wind_speed_units status
MTW temperature:n units
DBT depth_feet:n unit_feet depth_meters:n unit_meters depth_fathoms:n unit_fathoms
XDR type value units id
"""


class Form(Enum):
    """How a field is read."""

    TEXT = ""
    NUMBER = "n"
    WHOLE = "w"
    TIME = "t"
    DATE = "d"


def _layouts() -> Mapping[str, tuple[tuple[str, Form], ...]]:
    layouts: dict[str, tuple[tuple[str, Form], ...]] = {}
    for line in _TABLE.strip().splitlines():
        kind, *fields = line.split()
        pairs = (field.partition(":")[::2] for field in fields)
        layouts[kind] = layouts.get(kind, ()) + tuple((name, Form(form)) for name, form in pairs)
    return layouts


LAYOUTS: Mapping[str, tuple[tuple[str, Form], ...]] = _layouts()
"""By type: name and form of each field."""
