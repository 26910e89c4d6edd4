@echo off
rem Starts Easel on Windows: finds a Python, the rest is launch.py. Your own settings go into webui-user.bat.
rem Nothing with a path in it stands between brackets: a bracket in the path would end them.
setlocal DisableDelayedExpansion
rem They belong to other Pythons.
set "PYTHONHOME="
set "PYTHONPATH="
set "PYTHONSAFEPATH="
rem Relative paths in webui-user.bat start at its folder, those of the command line where you are.
set "EASEL_ARGS_FOLDER=%~dp0"

if not exist "%~dp0launch.py" goto :lost
if defined PYTHON goto :own

for %%v in (3.13 3.12 3.11) do (
    py -%%v -c "" >nul 2>nul
    if not errorlevel 1 (
        set "EASEL_PY=py -%%v"
        goto :start
    )
)
for %%p in (python3.13 python3.12 python3.11 python3 python) do (
    %%p -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))" >nul 2>nul
    if not errorlevel 1 (
        set "EASEL_PY=%%p"
        goto :start
    )
)
echo Python 3.11, 3.12 or 3.13 is needed and none was found: install one from python.org, or name it as PYTHON in
echo webui-user.bat.
goto :failed

:own
set "PYTHON=%PYTHON:"=%"
set EASEL_PY="%PYTHON%"
%EASEL_PY% -c "" >nul 2>nul
if not errorlevel 1 goto :start
echo There is no Python at %EASEL_PY%: mend PYTHON in webui-user.bat.
goto :failed

:lost
echo There is no launch.py in "%~dp0": unpack the whole program, and call webui.bat in its folder.
goto :failed

:start
%EASEL_PY% "%~dp0launch.py" %*
set EASEL_STATUS=%errorlevel%
rem The window of a double click would close before the reason could be read.
if not "%EASEL_STATUS%"=="0" pause
exit /b %EASEL_STATUS%

:failed
pause
exit /b 1
